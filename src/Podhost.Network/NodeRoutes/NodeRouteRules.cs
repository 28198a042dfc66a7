using System.Net;
using System.Net.Sockets;
using k8s.Models;
using Podhost.Linux.Nftables;

namespace Podhost.Network.NodeRoutes;

/// <summary>Which routes a node has to other nodes' pods. Pure.</summary>
internal static class NodeRouteRules
{
    // Shorter prefixes are no node's: a Node object must not take this machine's whole traffic.
    private const int ShortestPrefix = 8;

    /// <summary>Ranges of other nodes' pods and the InternalIP of each. Ranges that hold a node's address, overlap with this node's or with another's are left out.</summary>
    /// <param name="nodes">All nodes.</param>
    /// <param name="own">This node.</param>
    public static IReadOnlyDictionary<IPNetwork, IPAddress> Wanted(IEnumerable<V1Node> nodes, NodeRouteOptions own)
    {
        var all = nodes.OrderBy(n => n.Metadata.Name, StringComparer.Ordinal).ToList();
        var addresses = all.Select(InternalIP).OfType<IPAddress>().ToList();
        var routes = new SortedDictionary<IPNetwork, IPAddress>(Comparer<IPNetwork>.Create((a, b) => string.CompareOrdinal($"{a}", $"{b}")));
        foreach (var node in all.Where(n => n.Metadata.Name != own.NodeName))
        {
            if (RangeOf(node) is { } range && InternalIP(node) is { } gateway && range.PrefixLength >= ShortestPrefix
                && !addresses.Any(range.Contains) && routes.Keys.Append(own.PodCidr).All(r => !Overlap(r, range)))
            {
                routes[range] = gateway;
            }
        }

        return routes;
    }

    /// <summary>A node's IPv4 range; null: it has none.</summary>
    public static IPNetwork? RangeOf(V1Node node)
    {
        foreach (var text in node.Spec?.PodCIDRs ?? (node.Spec?.PodCIDR is { } one ? [one] : []))
        {
            if (IPNetwork.TryParse(text, out var range) && range.BaseAddress.AddressFamily == AddressFamily.InterNetwork)
            {
                return range;
            }
        }

        return null;
    }

    /// <summary>The table that marks connections from here to other nodes' pods, which keep their address: replaced whole, in one transaction.</summary>
    public static string Table(NodeRouteOptions own, IEnumerable<IPNetwork> ranges)
    {
        var table = NftNames.NodeRoutes(own.Bridge);
        var elements = string.Join(", ", ranges);
        return $$"""
            {{NftNames.Remove(table)}}table ip {{table}} {
              set ranges { type ipv4_addr; flags interval; {{(elements.Length == 0 ? "" : $"elements = {{ {elements} }};")}} }
              chain postrouting { type filter hook postrouting priority 90;
                ip saddr {{own.PodCidr}} ip daddr @ranges meta mark set meta mark or {{NftNames.NodeRoutesMark}}
              }
            }

            """;
    }

    private static IPAddress? InternalIP(V1Node node) => node.Status?.Addresses?
        .Where(a => a.Type == "InternalIP")
        .Select(a => IPAddress.TryParse(a.Address, out var ip) && ip.AddressFamily == AddressFamily.InterNetwork ? ip : null)
        .FirstOrDefault(a => a is not null);

    private static bool Overlap(IPNetwork a, IPNetwork b) => a.Contains(b.BaseAddress) || b.Contains(a.BaseAddress);
}
