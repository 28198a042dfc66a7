using System.Text.Json.Nodes;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Tables;

/// <summary>The nodes table.</summary>
internal sealed class NodePrinter : TablePrinter
{
    private const string RolePrefix = "node-role.kubernetes.io/";
    private const string RoleLabel = "kubernetes.io/role";

    public override IReadOnlyList<TableColumn> Columns { get; } =
    [
        Name,
        new("Status", Description: "The status of the node"),
        new("Roles", Description: "The roles of the node"),
        Age,
        new("Version", Description: "Version of the kubelet."),
        new("Internal-IP", Wide: true),
        new("External-IP", Wide: true),
        new("OS-Image", Wide: true),
        new("Kernel-Version", Wide: true),
        new("Container-Runtime", Wide: true),
    ];

    public override IEnumerable<JsonNode?> Cells(JsonObject obj, DateTimeOffset now) =>
    [
        Meta.Name(obj),
        Status(obj),
        Roles(obj),
        Durations.Age(obj, now),
        Meta.Text(Meta.At(obj, "status", "nodeInfo", "kubeletVersion")),
        Address(obj, "InternalIP"),
        Address(obj, "ExternalIP"),
        Info(obj, "osImage"),
        Info(obj, "kernelVersion"),
        Info(obj, "containerRuntimeVersion"),
    ];

    private static string Status(JsonObject obj)
    {
        var ready = PodSummary.Objects(Meta.At(obj, "status", "conditions")).FirstOrDefault(c => Meta.Text(c["type"]) == "Ready");
        var status = ready is null ? "Unknown" : Meta.Text(ready["status"]) == "True" ? "Ready" : "NotReady";
        return Meta.At(obj, "spec", "unschedulable") is JsonValue v && v.TryGetValue(out bool off) && off ? status + ",SchedulingDisabled" : status;
    }

    private static string Roles(JsonObject obj)
    {
        var roles = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var (key, value) in Meta.At(obj, "metadata", "labels") as JsonObject ?? [])
        {
            if (key.StartsWith(RolePrefix, StringComparison.Ordinal) && key.Length > RolePrefix.Length)
            {
                roles.Add(key[RolePrefix.Length..]);
            }
            else if (key == RoleLabel && Meta.Text(value).Length > 0)
            {
                roles.Add(Meta.Text(value));
            }
        }

        return roles.Count == 0 ? "<none>" : string.Join(",", roles);
    }

    private static string Address(JsonObject obj, string type) =>
        PodSummary.Objects(Meta.At(obj, "status", "addresses")).FirstOrDefault(a => Meta.Text(a["type"]) == type) is { } a
            ? Meta.Text(a["address"])
            : "<none>";

    private static string Info(JsonObject obj, string field) =>
        Meta.Text(Meta.At(obj, "status", "nodeInfo", field)) is { Length: > 0 } text ? text : Durations.Unknown;
}
