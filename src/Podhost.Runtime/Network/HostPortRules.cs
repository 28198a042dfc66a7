using System.Globalization;
using System.Net;
using System.Text;
using Podhost.Cri.V1;
using Podhost.Linux.Nftables;

namespace Podhost.Runtime.Network;

/// <summary>A port of the host that leads to a port of a pod.</summary>
/// <param name="Protocol">TCP or UDP.</param>
/// <param name="HostAddress">The host's address that it is bound to; null for all.</param>
/// <param name="Number">The port on the host.</param>
/// <param name="PodAddress">The pod.</param>
/// <param name="PodPort">The port in the pod.</param>
internal sealed record HostPort(Protocol Protocol, string? HostAddress, int Number, string PodAddress, int PodPort)
{
    internal string Key => $"{Protocol}/{HostAddress ?? "*"}/{Number.ToString(CultureInfo.InvariantCulture)}";

    internal static IEnumerable<HostPort> From(IEnumerable<PortMapping> mappings, string podAddress) =>
        mappings.Where(mapping => mapping.HostPort > 0).Select(mapping => new HostPort(
            mapping.Protocol == Protocol.Sctp ? throw new ArgumentException($"hostPort {mapping.HostPort}: SCTP is not supported") : mapping.Protocol,
            Bound(mapping.HostIp), mapping.HostPort, podAddress, mapping.ContainerPort));

    private static string? Bound(string hostIp) =>
        hostIp.Length == 0 || hostIp is "0.0.0.0" or "::" ? null
        : IPAddress.TryParse(hostIp, out var address) && address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? address.ToString()
        : throw new ArgumentException($"hostIP {hostIp} is not an IPv4 address");
}

/// <summary>The nftables script of an instance: masquerading and host ports in one table of its own. Pure.</summary>
internal static class HostPortRules
{
    // Marks connections from pods or the host itself to a host port, whose answers must come back through the host.
    private const string Mark = "0x02000000";

    /// <summary>Replaces the table whole, in one transaction.</summary>
    internal static string Replace(string bridge, IPNetwork range, IEnumerable<HostPort> ports)
    {
        var table = NftNames.PodNetwork(bridge);
        var all = ports.OrderBy(port => port.Key, StringComparer.Ordinal).ToList();
        return $$"""
            add table ip {{table}}
            delete table ip {{table}}
            table ip {{table}} {
              map tcp_ports { type inet_service : ipv4_addr . inet_service; {{Elements(all, Protocol.Tcp, bound: false)}} }
              map udp_ports { type inet_service : ipv4_addr . inet_service; {{Elements(all, Protocol.Udp, bound: false)}} }
              map tcp_bound { type ipv4_addr . inet_service : ipv4_addr . inet_service; {{Elements(all, Protocol.Tcp, bound: true)}} }
              map udp_bound { type ipv4_addr . inet_service : ipv4_addr . inet_service; {{Elements(all, Protocol.Udp, bound: true)}} }
              chain hostports {
                ip saddr { {{range}}, 127.0.0.0/8 } ct mark set ct mark or {{Mark}}
                meta l4proto tcp dnat ip to ip daddr . tcp dport map @tcp_bound
                meta l4proto udp dnat ip to ip daddr . udp dport map @udp_bound
                meta l4proto tcp dnat ip to tcp dport map @tcp_ports
                meta l4proto udp dnat ip to udp dport map @udp_ports
              }
              chain prerouting { type nat hook prerouting priority -105; fib daddr type local jump hostports; }
              chain output { type nat hook output priority -105; fib daddr type local jump hostports; }
              chain postrouting { type nat hook postrouting priority 95;
                ct mark and {{Mark}} != 0 ct status dnat masquerade
                ip saddr {{range}} ip daddr != { {{range}}, 224.0.0.0/4 } meta mark and {{NftNames.NodeRoutesMark}} == 0 masquerade
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
