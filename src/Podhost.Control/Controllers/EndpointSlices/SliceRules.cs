using Podhost.Control.Objects;
using k8s.Models;
using Podhost.Control.Controllers.Services;

namespace Podhost.Control.Controllers.EndpointSlices;

/// <summary>The endpoints that a Service must have, by their ports. Pure. Source: upstream's endpointslice controller.</summary>
internal static class SliceRules
{
    public const string ServiceName = "kubernetes.io/service-name";
    public const string ManagedBy = "endpointslice.kubernetes.io/managed-by";
    public const string Manager = "endpointslice-controller.k8s.io";
    private const string Headless = "service.kubernetes.io/headless";
    private const string Zone = "topology.kubernetes.io/zone";

    /// <summary>The groups of endpoints of one address family; endpoints with the same ports share slices.</summary>
    /// <param name="service">The Service.</param>
    /// <param name="pods">Pods, others among them too.</param>
    /// <param name="family">IPv4 or IPv6.</param>
    /// <param name="nodeOf">Finds a node by name.</param>
    public static IReadOnlyList<EndpointGroup> Groups(V1Service service, IEnumerable<V1Pod> pods, string family, Func<string, V1Node?> nodeOf)
    {
        var groups = pods
            .Where(p => ServicePods.Selects(service, p) && ServicePods.CanBeEndpoint(p, includeTerminating: true))
            .Select(p => (Pod: p, Addresses: Addresses(p, family), Ports: Ports(service, p)))
            .Where(x => x.Addresses.Count > 0)
            .GroupBy(x => PortsKey(x.Ports))
            .OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => new EndpointGroup(g.Key, g.First().Ports,
                [.. g.OrderBy(x => x.Pod.Metadata.Name, StringComparer.Ordinal).Select(x => ToEndpoint(service, x.Pod, x.Addresses, nodeOf))]))
            .ToList();

        // A Service that nothing is behind has an empty slice: that it is known to be empty is worth telling.
        return groups.Count > 0 ? groups : [new EndpointGroup(PortsKey([]), [], [])];
    }

    /// <summary>The labels of a Service's slices: the Service's own, and what says whose they are.</summary>
    private static Dictionary<string, string> Labels(V1Service service)
    {
        var labels = new Dictionary<string, string>(service.Metadata.Labels ?? new Dictionary<string, string>())
        {
            [ServiceName] = service.Metadata.Name,
            [ManagedBy] = Manager,
        };
        labels.Remove(Headless);
        if (ServicePods.IsHeadless(service))
        {
            labels[Headless] = "";
        }

        return labels;
    }

    /// <summary>What a Service's slices have in common.</summary>
    public static SliceTemplate Template(V1Service service) =>
        new(service.Metadata.NamespaceProperty, service.Metadata.Name, Labels(service), Owner(service), null);

    private static V1OwnerReference Owner(V1Service service) => new()
    {
        ApiVersion = "v1",
        Kind = "Service",
        Name = service.Metadata.Name,
        Uid = service.Metadata.Uid,
        Controller = true,
        BlockOwnerDeletion = true,
    };

    public static string PortsKey(IEnumerable<Discoveryv1EndpointPort>? ports) =>
        string.Join(';', (ports ?? []).Select(p => $"{p.Name}/{p.Port}/{p.Protocol}/{p.AppProtocol}").Order(StringComparer.Ordinal));

    /// <summary>What stays the same of an endpoint while its conditions change.</summary>
    public static string Identity(V1Endpoint endpoint) => $"{endpoint.TargetRef?.Uid}|{string.Join(',', endpoint.Addresses ?? [])}";

    public static bool IsSame(V1Endpoint a, V1Endpoint b) =>
        Identity(a) == Identity(b)
        && a.Conditions?.Ready == b.Conditions?.Ready
        && a.Conditions?.Serving == b.Conditions?.Serving
        && a.Conditions?.Terminating == b.Conditions?.Terminating
        && (a.Hostname ?? "") == (b.Hostname ?? "")
        && a.NodeName == b.NodeName
        && a.Zone == b.Zone
        && a.TargetRef?.Name == b.TargetRef?.Name;

    private static V1Endpoint ToEndpoint(V1Service service, V1Pod pod, List<string> addresses, Func<string, V1Node?> nodeOf)
    {
        var serving = PodStates.IsReady(pod);
        var terminating = ServicePods.IsTerminating(pod);
        var node = string.IsNullOrEmpty(pod.Spec.NodeName) ? null : pod.Spec.NodeName;
        return new V1Endpoint
        {
            Addresses = addresses,
            Conditions = new V1EndpointConditions
            {
                Ready = service.Spec.PublishNotReadyAddresses == true || (serving && !terminating),
                Serving = serving,
                Terminating = terminating,
            },
            Hostname = ServicePods.Hostname(service, pod),
            NodeName = node,
            Zone = node is not null && nodeOf(node)?.Metadata.Labels is { } labels && labels.TryGetValue(Zone, out var zone) ? zone : null,
            TargetRef = ServicePods.Reference(pod),
        };
    }

    private static List<string> Addresses(V1Pod pod, string family) =>
    [
        .. (pod.Status.PodIPs ?? []).Select(i => i.Ip).Append(pod.Status.PodIP)
            .Where(ip => !string.IsNullOrEmpty(ip) && ip.Contains(':') == (family == "IPv6"))
            .Distinct(),
    ];

    private static List<Discoveryv1EndpointPort> Ports(V1Service service, V1Pod pod) =>
    [
        .. (service.Spec.Ports ?? [])
            .Select(p => (Port: p, Number: ServicePods.FindPort(p, pod)))
            .Where(x => x.Number is not null)
            .Select(x => new Discoveryv1EndpointPort
            {
                Name = x.Port.Name ?? "",
                Port = x.Number,
                Protocol = x.Port.Protocol ?? "TCP",
                AppProtocol = x.Port.AppProtocol,
            }),
    ];
}

/// <summary>Endpoints that have the same ports.</summary>
/// <param name="Key">The ports as a string.</param>
/// <param name="Ports">The ports.</param>
/// <param name="Endpoints">The endpoints, by pod name.</param>
internal sealed record EndpointGroup(string Key, IReadOnlyList<Discoveryv1EndpointPort> Ports, IReadOnlyList<V1Endpoint> Endpoints);
