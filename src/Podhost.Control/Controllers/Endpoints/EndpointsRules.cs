using Podhost.Control.Objects;
using k8s.Models;
using Podhost.Control.Controllers.Services;

namespace Podhost.Control.Controllers.Endpoints;

/// <summary>The Endpoints object of a Service. Pure. Source: upstream's endpoints controller.</summary>
internal static class EndpointsRules
{
    private const int MostAddresses = 1000;
    private const string OverCapacity = "endpoints.kubernetes.io/over-capacity";
    private const string ManagedBy = "endpoints.kubernetes.io/managed-by";
    private const string Headless = "service.kubernetes.io/headless";

    /// <summary>What it must be, without a resourceVersion.</summary>
    public static V1Endpoints Of(V1Service service, IEnumerable<V1Pod> pods)
    {
        var chosen = pods
            .Where(p => ServicePods.Selects(service, p) && ServicePods.CanBeEndpoint(p, service.Spec.PublishNotReadyAddresses == true))
            .Where(p => Address(service, p) is not null)
            .OrderBy(p => p.Metadata.Name, StringComparer.Ordinal)
            .ToList();
        return new V1Endpoints
        {
            ApiVersion = "v1",
            Kind = "Endpoints",
            Metadata = new V1ObjectMeta
            {
                Name = service.Metadata.Name,
                NamespaceProperty = service.Metadata.NamespaceProperty,
                Labels = Labels(service),
                Annotations = chosen.Count > MostAddresses ? new Dictionary<string, string> { [OverCapacity] = "truncated" } : null,
            },
            Subsets = Subsets(service, chosen.Take(MostAddresses)),
        };
    }

    /// <summary>True where the stored object says the same.</summary>
    public static bool IsSame(V1Endpoints present, V1Endpoints wanted) =>
        Canonical(present) == Canonical(wanted)
        && SameMap(present.Metadata.Labels, wanted.Metadata.Labels)
        && Has(present.Metadata, OverCapacity) == Has(wanted.Metadata, OverCapacity);

    /// <summary>The annotations of a replaced object: others' stay.</summary>
    public static Dictionary<string, string> Annotations(V1Endpoints present, V1Endpoints wanted)
    {
        var annotations = new Dictionary<string, string>(present.Metadata.Annotations ?? new Dictionary<string, string>());
        annotations.Remove(OverCapacity);
        foreach (var (name, value) in wanted.Metadata.Annotations ?? new Dictionary<string, string>())
        {
            annotations[name] = value;
        }

        return annotations;
    }

    private static bool Has(V1ObjectMeta metadata, string annotation) => metadata.Annotations?.ContainsKey(annotation) == true;

    private static bool SameMap(IDictionary<string, string>? a, IDictionary<string, string>? b) =>
        (a?.Count ?? 0) == (b?.Count ?? 0) && (a ?? new Dictionary<string, string>()).All(x => b!.TryGetValue(x.Key, out var v) && v == x.Value);

    private static Dictionary<string, string> Labels(V1Service service)
    {
        var labels = new Dictionary<string, string>(service.Metadata.Labels ?? new Dictionary<string, string>()) { [ManagedBy] = "endpoint-controller" };
        labels.Remove(Headless);
        if (ServicePods.IsHeadless(service))
        {
            labels[Headless] = "";
        }

        return labels;
    }

    // Addresses with the same ports share a subset.
    private static List<V1EndpointSubset>? Subsets(V1Service service, IEnumerable<V1Pod> pods)
    {
        var subsets = pods
            .Select(p => (Pod: p, Ports: Ports(service, p)))
            .Where(x => x.Ports.Count > 0 || service.Spec.Ports is not { Count: > 0 })
            .GroupBy(x => string.Join(';', x.Ports.Select(Canonical)))
            .OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => new V1EndpointSubset
            {
                Addresses = Some([.. g.Where(x => IsReady(service, x.Pod)).Select(x => ToAddress(service, x.Pod))]),
                NotReadyAddresses = Some([.. g.Where(x => !IsReady(service, x.Pod)).Select(x => ToAddress(service, x.Pod))]),
                Ports = g.First().Ports is { Count: > 0 } ports ? ports : null,
            })
            .ToList();
        return subsets.Count > 0 ? subsets : null;
    }

    private static bool IsReady(V1Service service, V1Pod pod) => service.Spec.PublishNotReadyAddresses == true || PodStates.IsReady(pod);

    private static List<V1EndpointAddress>? Some(List<V1EndpointAddress> addresses) =>
        addresses.Count > 0 ? [.. addresses.OrderBy(a => a.Ip, StringComparer.Ordinal).ThenBy(a => a.TargetRef.Uid, StringComparer.Ordinal)] : null;

    private static List<Corev1EndpointPort> Ports(V1Service service, V1Pod pod) =>
    [
        .. (service.Spec.Ports ?? [])
            .Select(p => (Port: p, Number: ServicePods.FindPort(p, pod)))
            .Where(x => x.Number is not null)
            .Select(x => new Corev1EndpointPort
            {
                Name = string.IsNullOrEmpty(x.Port.Name) ? null : x.Port.Name,
                Port = x.Number!.Value,
                Protocol = x.Port.Protocol ?? "TCP",
                AppProtocol = x.Port.AppProtocol,
            })
            .OrderBy(Canonical, StringComparer.Ordinal),
    ];

    // Endpoints carry one family only: the Service's first.
    private static string? Address(V1Service service, V1Pod pod)
    {
        var isIPv6 = service.Spec.IpFamilies is ["IPv6", ..];
        return (pod.Status.PodIPs ?? []).Select(i => i.Ip).Append(pod.Status.PodIP)
            .FirstOrDefault(ip => !string.IsNullOrEmpty(ip) && ip.Contains(':') == isIPv6);
    }

    private static V1EndpointAddress ToAddress(V1Service service, V1Pod pod) => new()
    {
        Ip = Address(service, pod)!,
        Hostname = ServicePods.Hostname(service, pod),
        NodeName = string.IsNullOrEmpty(pod.Spec.NodeName) ? null : pod.Spec.NodeName,
        TargetRef = ServicePods.Reference(pod),
    };

    private static string Canonical(Corev1EndpointPort p) => $"{p.Name}/{p.Port}/{p.Protocol}/{p.AppProtocol}";

    private static string Canonical(V1EndpointAddress a) => $"{a.Ip}/{a.Hostname}/{a.NodeName}/{a.TargetRef?.Uid}";

    private static string Canonical(V1Endpoints endpoints) => string.Join('\n', (endpoints.Subsets ?? []).Select(s =>
        $"{string.Join(',', (s.Addresses ?? []).Select(Canonical))}|{string.Join(',', (s.NotReadyAddresses ?? []).Select(Canonical))}|{string.Join(',', (s.Ports ?? []).Select(Canonical))}"));
}
