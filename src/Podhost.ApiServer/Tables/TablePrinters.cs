using System.Text.Json.Nodes;
using Podhost.Api.Resources;

namespace Podhost.ApiServer.Tables;

/// <summary>The printer of each resource; kinds without one of their own show name and age.</summary>
/// <remarks>Columns: upstream's pkg/printers/internalversion.</remarks>
internal static class TablePrinters
{
    private static readonly TablePrinter Pods = new PodPrinter();
    private static readonly TablePrinter Nodes = new NodePrinter();
    private static readonly TablePrinter Events = new EventPrinter();

    public static TablePrinter For(ResourceInfo resource) => resource.Custom is { } custom ? new CustomPrinter(custom) : resource.Plural switch
    {
        "pods" => Pods,
        "nodes" => Nodes,
        "events" => Events,
        "services" => NetworkPrinters.Services,
        "endpoints" => NetworkPrinters.Endpoints,
        "endpointslices" => NetworkPrinters.EndpointSlices,
        "customresourcedefinitions" => SmallPrinters.Definitions,
        "mutatingwebhookconfigurations" or "validatingwebhookconfigurations" => SmallPrinters.Webhooks,
        "apiservices" => SmallPrinters.ApiServices,
        "configmaps" => SmallPrinters.ConfigMaps,
        "secrets" => SmallPrinters.Secrets,
        "serviceaccounts" => SmallPrinters.ServiceAccounts,
        "namespaces" => SmallPrinters.Namespaces,
        "leases" => SmallPrinters.Leases,
        "priorityclasses" => SmallPrinters.PriorityClasses,
        "runtimeclasses" => SmallPrinters.RuntimeClasses,
        "roles" or "clusterroles" => SmallPrinters.Roles,
        "rolebindings" or "clusterrolebindings" => SmallPrinters.RoleBindings,
        "deployments" => WorkloadPrinters.Deployments,
        "replicasets" or "replicationcontrollers" => WorkloadPrinters.ReplicaSets,
        "daemonsets" => WorkloadPrinters.DaemonSets,
        "statefulsets" => WorkloadPrinters.StatefulSets,
        "controllerrevisions" => WorkloadPrinters.Revisions,
        "podtemplates" => WorkloadPrinters.PodTemplates,
        "jobs" => WorkloadPrinters.Jobs,
        "cronjobs" => WorkloadPrinters.CronJobs,
        "resourcequotas" => PolicyPrinters.Quotas,
        "poddisruptionbudgets" => PolicyPrinters.DisruptionBudgets,
        "limitranges" => PolicyPrinters.LimitRanges,
        "certificatesigningrequests" => PolicyPrinters.SigningRequests,
        "storageclasses" => VolumePrinters.Classes,
        "csidrivers" => DriverPrinters.Drivers,
        "csinodes" => DriverPrinters.Nodes,
        "csistoragecapacities" => DriverPrinters.Capacities,
        "volumeattachments" => DriverPrinters.Attachments,
        "volumeattributesclasses" => DriverPrinters.AttributesClasses,
        "flowschemas" => FlowControlPrinters.Schemas,
        "prioritylevelconfigurations" => FlowControlPrinters.Levels,
        "persistentvolumes" => VolumePrinters.Volumes,
        "persistentvolumeclaims" => VolumePrinters.Claims,
        _ => SmallPrinters.NameAndAge,
    };
}

/// <summary>A printer that is a list of columns and one function.</summary>
internal sealed class ColumnPrinter(IReadOnlyList<TableColumn> columns, Func<JsonObject, DateTimeOffset, IEnumerable<JsonNode?>> cells) : TablePrinter
{
    public override IReadOnlyList<TableColumn> Columns => columns;

    public override IEnumerable<JsonNode?> Cells(JsonObject obj, DateTimeOffset now) => cells(obj, now);
}
