using k8s.Models;
using Podhost.Linux.Nftables;

namespace Podhost.Network.ServiceProxy.Model;

/// <summary>One endpoint of a Service's port. Conditions that a slice does not give mean ready and not terminating.</summary>
/// <param name="Address">Its address.</param>
/// <param name="Port">Its port.</param>
/// <param name="IsLocal">It is on this node.</param>
/// <param name="IsReady">It takes new connections.</param>
/// <param name="IsServing">It would, were it not terminating.</param>
/// <param name="IsTerminating">It is going.</param>
internal sealed record ServiceEndpoint(string Address, int Port, bool IsLocal, bool IsReady, bool IsServing, bool IsTerminating)
{
    private const string ServiceName = "kubernetes.io/service-name";
    private const string Headless = "service.kubernetes.io/headless";

    /// <summary>Address and port.</summary>
    public string Target => $"{Address}:{Port}";

    /// <summary>The Service of a slice; null where it is none that has rules of a family.</summary>
    public static string? ServiceOf(V1EndpointSlice slice, NftFamily family) =>
        slice.AddressType == (family == NftFamily.IPv6 ? "IPv6" : "IPv4") && slice.Metadata.Labels is { } labels && !labels.ContainsKey(Headless) && labels.TryGetValue(ServiceName, out var name) ? name : null;

    /// <summary>The endpoints that slices give a port, each once, in a fixed order.</summary>
    public static IReadOnlyList<ServiceEndpoint> Of(ServicePort port, IEnumerable<V1EndpointSlice> slices, NodeFacts node) =>
    [
        .. slices.SelectMany(slice => From(port, slice, node))
            .GroupBy(e => e.Target)
            // While an endpoint moves from one slice to another it may be in both.
            .Select(same => same.OrderByDescending(e => e.IsReady).ThenByDescending(e => e.IsServing).ThenBy(e => e.IsTerminating).ThenByDescending(e => e.IsLocal).First())
            .OrderBy(e => e.Target, StringComparer.Ordinal),
    ];

    private static IEnumerable<ServiceEndpoint> From(ServicePort port, V1EndpointSlice slice, NodeFacts node)
    {
        var number = (slice.Ports ?? []).FirstOrDefault(p => (p.Name ?? "") == port.PortName && Matches(p.Protocol, port.Protocol))?.Port;
        if (number is null)
        {
            yield break;
        }

        foreach (var endpoint in slice.Endpoints ?? [])
        {
            // The first address stands for the endpoint, as the API says of the field.
            if (ServicePort.Address(endpoint.Addresses?.FirstOrDefault(), node.Family) is { } address)
            {
                var conditions = endpoint.Conditions;
                yield return new ServiceEndpoint(
                    address, number.Value, endpoint.NodeName == node.NodeName, conditions?.Ready ?? true, conditions?.Serving ?? true, conditions?.Terminating ?? false);
            }
        }
    }

    private static bool Matches(string? given, string protocol) => string.Equals(given ?? "TCP", protocol, StringComparison.OrdinalIgnoreCase);
}
