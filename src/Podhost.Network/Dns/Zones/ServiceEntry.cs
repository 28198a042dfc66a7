using System.Net;
using System.Net.Sockets;
using k8s.Models;
using Podhost.Network.Dns.Wire;

namespace Podhost.Network.Dns.Zones;

/// <summary>What DNS knows of a Service. Immutable.</summary>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Name">Its name.</param>
/// <param name="ClusterIPs">Its addresses; none: headless, or an external name.</param>
/// <param name="External">The name that it stands for, if it is of type ExternalName.</param>
/// <param name="Ports">Its ports, for a Service with addresses.</param>
/// <param name="Endpoints">Its ready endpoints.</param>
internal sealed record ServiceEntry(
    string Namespace, string Name, IReadOnlyList<IPAddress> ClusterIPs, DnsName? External, IReadOnlyList<PortEntry> Ports, IReadOnlyList<EndpointEntry> Endpoints)
{
    /// <summary>Clients get the endpoints' addresses.</summary>
    public bool IsHeadless => ClusterIPs.Count == 0 && External is null;

    /// <summary>A headless Service that nothing ready is behind has no name at all (specification 2.4.1).</summary>
    public bool Exists => !IsHeadless || Endpoints.Count > 0;

    /// <summary>
    /// Reads a Service and its slices. An endpoint is ready unless its condition says it is not; the slice controller has decided already what a
    /// terminating pod or publishNotReadyAddresses means for that.
    /// </summary>
    public static ServiceEntry Of(V1Service service, IEnumerable<V1EndpointSlice> slices)
    {
        var spec = service.Spec ?? new V1ServiceSpec();
        var (ns, name) = (service.Metadata.NamespaceProperty, service.Metadata.Name);
        if (spec.Type == "ExternalName")
        {
            return new ServiceEntry(ns, name, [], DnsName.Parse(spec.ExternalName ?? "") ?? DnsName.Root, [], []);
        }

        IEnumerable<string> addresses = spec.ClusterIPs is { Count: > 0 } several ? several : [spec.ClusterIP ?? ""];
        var clusterIPs = addresses.Select(a => IPAddress.TryParse(a, out var ip) ? ip : null).OfType<IPAddress>().ToList();
        IReadOnlyList<PortEntry> ports = clusterIPs.Count == 0 ? [] : [.. (spec.Ports ?? []).Select(p => PortEntry.Of(p.Name, p.Protocol, p.Port))];
        return new ServiceEntry(ns, name, clusterIPs, null, ports, EndpointEntry.Of(slices));
    }
}

/// <summary>A port; the name is empty for the only port of a Service that has none.</summary>
/// <param name="Name">Its name in lower case.</param>
/// <param name="Protocol">tcp, udp or sctp.</param>
/// <param name="Number">Its number.</param>
internal sealed record PortEntry(string Name, string Protocol, int Number)
{
    /// <summary>From an object's fields.</summary>
    public static PortEntry Of(string? name, string? protocol, int number) =>
        new((name ?? "").ToLowerInvariant(), (protocol ?? "TCP").ToLowerInvariant(), number);
}

/// <summary>A ready endpoint's addresses under one name.</summary>
/// <param name="Label">Its name below the Service: its hostname, or its address with dashes.</param>
/// <param name="HasHostname">The name is a hostname: its addresses lead back to it.</param>
/// <param name="Address">Its address.</param>
/// <param name="Ports">Its ports.</param>
internal sealed record EndpointEntry(string Label, bool HasHostname, IPAddress Address, IReadOnlyList<PortEntry> Ports)
{
    /// <summary>The ready endpoints of slices, each address with its ports once, in an order of its own.</summary>
    public static IReadOnlyList<EndpointEntry> Of(IEnumerable<V1EndpointSlice> slices) =>
    [
        .. slices.Where(s => s.AddressType is "IPv4" or "IPv6").SelectMany(Ready)
            .GroupBy(e => (e.Label, e.Address))
            .Select(g => g.First() with { Ports = [.. g.SelectMany(e => e.Ports).Distinct().OrderBy(p => p.Name, StringComparer.Ordinal)] })
            .OrderBy(e => e.Label, StringComparer.Ordinal).ThenBy(e => e.Address.ToString(), StringComparer.Ordinal),
    ];

    private static IEnumerable<EndpointEntry> Ready(V1EndpointSlice slice)
    {
        // A port without a number means all ports: there is nothing to tell of it.
        IReadOnlyList<PortEntry> ports = [.. (slice.Ports ?? []).Where(p => p.Port is not null).Select(p => PortEntry.Of(p.Name, p.Protocol, p.Port!.Value))];
        foreach (var endpoint in (slice.Endpoints ?? []).Where(e => e.Conditions?.Ready != false))
        {
            foreach (var text in endpoint.Addresses ?? [])
            {
                if (IPAddress.TryParse(text, out var address))
                {
                    var hostname = endpoint.Hostname?.ToLowerInvariant();
                    yield return new EndpointEntry(string.IsNullOrEmpty(hostname) ? Dashed(address) : hostname, !string.IsNullOrEmpty(hostname), address, ports);
                }
            }
        }
    }

    private static string Dashed(IPAddress address) =>
        address.ToString().Replace(address.AddressFamily == AddressFamily.InterNetwork ? '.' : ':', '-');
}
