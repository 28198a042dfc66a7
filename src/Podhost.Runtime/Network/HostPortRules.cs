using System.Globalization;
using System.Net;
using System.Text;
using Podhost.Cri.V1;
using Podhost.Linux.Nftables;

namespace Podhost.Runtime.Network;

/// <summary>A port of the host that leads to a port of a pod.</summary>
/// <param name="Protocol">TCP or UDP.</param>
/// <param name="HostAddress">The host's address that it is bound to; null for all of the pod's family.</param>
/// <param name="Number">The port on the host.</param>
/// <param name="PodAddress">The pod.</param>
/// <param name="PodPort">The port in the pod.</param>
internal sealed record HostPort(Protocol Protocol, string? HostAddress, int Number, string PodAddress, int PodPort)
{
    internal string Key => $"{Protocol}/{HostAddress ?? (IsIPv6 ? "::" : "*")}/{Number.ToString(CultureInfo.InvariantCulture)}";

    internal bool IsIPv6 => PodAddress.Contains(':', StringComparison.Ordinal);

    /// <summary>
    /// The ports of a pod. No hostIP, or <c>::</c>, means all addresses of the host of each family that the pod has; <c>0.0.0.0</c> all of IPv4; another
    /// one that address, which must be of a family that the pod has.
    /// </summary>
    internal static IEnumerable<HostPort> From(IEnumerable<PortMapping> mappings, IReadOnlyList<string> podAddresses) =>
        mappings.Where(mapping => mapping.HostPort > 0).SelectMany(mapping => From(mapping, podAddresses));

    private static IEnumerable<HostPort> From(PortMapping mapping, IReadOnlyList<string> podAddresses)
    {
        var protocol = mapping.Protocol == Protocol.Sctp ? throw new ArgumentException($"hostPort {mapping.HostPort}: SCTP is not supported") : mapping.Protocol;
        if (mapping.HostIp is "" or "::")
        {
            return podAddresses.Select(pod => new HostPort(protocol, null, mapping.HostPort, pod, mapping.ContainerPort));
        }

        var host = IPAddress.TryParse(mapping.HostIp, out var parsed) ? parsed : throw new ArgumentException($"hostIP {mapping.HostIp} is not an address");
        var pod = podAddresses.FirstOrDefault(address => IPAddress.Parse(address).AddressFamily == host.AddressFamily)
            ?? throw new ArgumentException($"hostIP {mapping.HostIp}: the pod network gives pods no address of its family, only {string.Join(", ", podAddresses)}");
        return [new HostPort(protocol, host.Equals(IPAddress.Any) ? null : host.ToString(), mapping.HostPort, pod, mapping.ContainerPort)];
    }
}

/// <summary>The nftables script of an instance: masquerading and host ports in one table of its own. Pure.</summary>
internal static class HostPortRules
{
    // Marks connections from pods or the host itself to a host port, whose answers must come back through the host.
    private const string Mark = "0x02000000";

    /// <summary>Replaces the tables whole, one for each family that pods have, in one transaction.</summary>
    internal static string Replace(string bridge, IReadOnlyList<IPNetwork> ranges, IEnumerable<HostPort> ports)
    {
        var all = ports.OrderBy(port => port.Key, StringComparer.Ordinal).ToList();
        return string.Concat(ranges.Select(range => Table(NftNames.PodNetwork(bridge), NftFamily.Of(range), range, [.. all.Where(port => port.IsIPv6 == IsIPv6(range))])));
    }

    private static bool IsIPv6(IPNetwork range) => NftFamily.Of(range) == NftFamily.IPv6;

    private static string Table(string table, NftFamily family, IPNetwork range, List<HostPort> all)
    {
        var (ip, type) = (family.Name, family.AddressType);
        var (loopback, multicast) = family == NftFamily.IPv6 ? ("::1", "ff00::/8") : ("127.0.0.0/8", "224.0.0.0/4");
        return $$"""
            {{NftNames.Remove(table, family)}}table {{ip}} {{table}} {
              map tcp_ports { type inet_service : {{type}} . inet_service; {{Elements(all, Protocol.Tcp, bound: false)}} }
              map udp_ports { type inet_service : {{type}} . inet_service; {{Elements(all, Protocol.Udp, bound: false)}} }
              map tcp_bound { type {{type}} . inet_service : {{type}} . inet_service; {{Elements(all, Protocol.Tcp, bound: true)}} }
              map udp_bound { type {{type}} . inet_service : {{type}} . inet_service; {{Elements(all, Protocol.Udp, bound: true)}} }
              chain hostports {
                {{ip}} saddr { {{range}}, {{loopback}} } ct mark set ct mark or {{Mark}}
                meta l4proto tcp dnat {{ip}} to {{ip}} daddr . tcp dport map @tcp_bound
                meta l4proto udp dnat {{ip}} to {{ip}} daddr . udp dport map @udp_bound
                meta l4proto tcp dnat {{ip}} to tcp dport map @tcp_ports
                meta l4proto udp dnat {{ip}} to udp dport map @udp_ports
              }
              chain prerouting { type nat hook prerouting priority -105; fib daddr type local jump hostports; }
              chain output { type nat hook output priority -105; fib daddr type local jump hostports; }
              chain postrouting { type nat hook postrouting priority 95;
                ct mark and {{Mark}} != 0 ct status dnat masquerade
                {{ip}} saddr {{range}} {{ip}} daddr != { {{range}}, {{multicast}} } meta mark and {{NftNames.NodeRoutesMark}} == 0 masquerade
              }
            }

            """;
    }

    private static string Elements(List<HostPort> ports, Protocol protocol, bool bound)
    {
        var text = new StringBuilder();
        foreach (var port in ports.Where(port => port.Protocol == protocol && port.HostAddress is not null == bound))
        {
            text.Append(text.Length == 0 ? "elements = { " : ", ");
            text.Append(CultureInfo.InvariantCulture, $"{(bound ? port.HostAddress + " . " : string.Empty)}{port.Number} : {port.PodAddress} . {port.PodPort}");
        }

        return text.Length == 0 ? string.Empty : text.Append(" };").ToString();
    }
}
