using k8s.Models;
using Podhost.Control.Controllers.EndpointSlices;
using Podhost.Control.Controllers.Services;

namespace Podhost.Control.Controllers.EndpointSliceMirroring;

/// <summary>The slices of Endpoints that somebody wrote by hand. Pure. Source: upstream's endpointslicemirroring controller.</summary>
internal static class MirrorRules
{
    public const string Manager = "endpointslicemirroring-controller.k8s.io";
    private const int MostAddresses = 1000;
    private const string SkipMirror = "endpointslice.kubernetes.io/skip-mirror";
    private const string LeaderElection = "control-plane.alpha.kubernetes.io/leader";
    private const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";

    /// <summary>True for Endpoints of a Service without a selector that nobody keeps out.</summary>
    public static bool IsMirrored(V1Service service, V1Endpoints endpoints) =>
        service.Spec is { Selector: null or { Count: 0 } }
        && service.Metadata.DeletionTimestamp is null
        && endpoints.Metadata.DeletionTimestamp is null
        && !(endpoints.Metadata.Labels?.TryGetValue(SkipMirror, out var skip) == true && skip == "true")
        && endpoints.Metadata.Annotations?.ContainsKey(LeaderElection) != true;

    /// <summary>What the slices have in common: the labels and annotations of the Endpoints, and who writes them.</summary>
    public static SliceTemplate Template(V1Endpoints endpoints)
    {
        var labels = new Dictionary<string, string>(endpoints.Metadata.Labels ?? new Dictionary<string, string>())
        {
            [SliceRules.ServiceName] = endpoints.Metadata.Name,
            [SliceRules.ManagedBy] = Manager,
        };
        var annotations = (endpoints.Metadata.Annotations ?? new Dictionary<string, string>())
            .Where(a => a.Key is not (TriggerTimes.Annotation or LastApplied)).ToDictionary();
        var owner = new V1OwnerReference
        {
            ApiVersion = "v1",
            Kind = "Endpoints",
            Name = endpoints.Metadata.Name,
            Uid = endpoints.Metadata.Uid,
            Controller = true,
            BlockOwnerDeletion = true,
        };
        return new SliceTemplate(endpoints.Metadata.NamespaceProperty, endpoints.Metadata.Name, labels, owner, annotations);
    }

    /// <summary>The endpoints of one address family: one group for the subsets with the same ports.</summary>
    public static IReadOnlyList<EndpointGroup> Groups(V1Endpoints endpoints, string family) =>
    [
        .. (endpoints.Subsets ?? [])
            .Select(s => (Ports: Ports(s), Endpoints: Endpoints(s, family)))
            .Where(s => s.Endpoints.Count > 0)
            .GroupBy(s => SliceRules.PortsKey(s.Ports))
            .OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => new EndpointGroup(g.Key, g.First().Ports, [.. g.SelectMany(s => s.Endpoints).DistinctBy(SliceRules.Identity)])),
    ];

    private static List<V1Endpoint> Endpoints(V1EndpointSubset subset, string family)
    {
        var ready = (subset.Addresses ?? []).Select(a => (Address: a, Ready: true));
        var unready = (subset.NotReadyAddresses ?? []).Select(a => (Address: a, Ready: false));
        return
        [
            .. ready.Concat(unready)
                .Where(a => a.Address.Ip.Contains(':') == (family == "IPv6"))
                .Take(MostAddresses)
                .Select(a => new V1Endpoint
                {
                    Addresses = [a.Address.Ip],
                    Conditions = new V1EndpointConditions { Ready = a.Ready },
                    Hostname = string.IsNullOrEmpty(a.Address.Hostname) ? null : a.Address.Hostname,
                    NodeName = a.Address.NodeName,
                    TargetRef = a.Address.TargetRef,
                }),
        ];
    }

    private static List<Discoveryv1EndpointPort> Ports(V1EndpointSubset subset) =>
    [
        .. (subset.Ports ?? []).Select(p => new Discoveryv1EndpointPort { Name = p.Name ?? "", Port = p.Port, Protocol = p.Protocol ?? "TCP", AppProtocol = p.AppProtocol }),
    ];
}
