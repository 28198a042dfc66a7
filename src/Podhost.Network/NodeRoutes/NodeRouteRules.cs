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
    private const int ShortestPrefixIPv6 = 16;

    /// <summary>Ranges of other nodes' pods and the InternalIP of their family of each. Ranges that hold a node's address, overlap with this node's or with another's are left out.</summary>
    /// <param name="nodes">All nodes.</param>
    /// <param name="own">This node.</param>
    public static IReadOnlyDictionary<IPNetwork, IPAddress> Wanted(IEnumerable<V1Node> nodes, NodeRouteOptions own)
    {
        var all = nodes.OrderBy(n => n.Metadata.Name, StringComparer.Ordinal).ToList();
        var addresses = all.SelectMany(InternalIPs).ToList();
        var routes = new SortedDictionary<IPNetwork, IPAddress>(Comparer<IPNetwork>.Create((a, b) => string.CompareOrdinal($"{a}", $"{b}")));
        foreach (var node in all.Where(n => n.Metadata.Name != own.NodeName))
        {
            foreach (var range in RangesOf(node).Where(r => own.PodCidrs.Any(o => Family(o) == Family(r))))
            {
                if (InternalIPs(node).FirstOrDefault(a => a.AddressFamily == Family(range)) is { } gateway && range.PrefixLength >= Shortest(range)
                    && !addresses.Any(range.Contains) && routes.Keys.Concat(own.PodCidrs).All(r => !Overlap(r, range)))
                {
                    routes[range] = gateway;
                }
            }
        }

        return routes;
    }

    /// <summary>A node's ranges, the first of each family.</summary>
    public static IReadOnlyList<IPNetwork> RangesOf(V1Node node) =>
    [
        .. (node.Spec?.PodCIDRs ?? (node.Spec?.PodCIDR is { } one ? [one] : []))
            .Where(text => IPNetwork.TryParse(text, out _)).Select(text => IPNetwork.Parse(text)).DistinctBy(Family),
    ];

    /// <summary>The tables that mark connections from here to other nodes' pods, which keep their address: replaced whole, in one transaction.</summary>
    public static string Table(NodeRouteOptions own, IEnumerable<IPNetwork> ranges)
    {
        var all = ranges.ToList();
        return string.Concat(own.PodCidrs.Select(range => Table(own.Bridge, range, string.Join(", ", all.Where(r => Family(r) == Family(range))))));
    }

    private static string Table(string bridge, IPNetwork range, string elements)
    {
        var (table, family) = (NftNames.NodeRoutes(bridge), NftFamily.Of(range));
        return $$"""
            {{NftNames.Remove(table, family)}}table {{family.Name}} {{table}} {
              set ranges { type {{family.AddressType}}; flags interval; {{(elements.Length == 0 ? "" : $"elements = {{ {elements} }};")}} }
              chain postrouting { type filter hook postrouting priority 90;
                {{family.Name}} saddr {{range}} {{family.Name}} daddr @ranges meta mark set meta mark or {{NftNames.NodeRoutesMark}}
              }
            }

            """;
    }

    private static IEnumerable<IPAddress> InternalIPs(V1Node node) => (node.Status?.Addresses ?? [])
        .Where(a => a.Type == "InternalIP")
        .Select(a => IPAddress.TryParse(a.Address, out var ip) ? ip : null)
        .OfType<IPAddress>();

    private static AddressFamily Family(IPNetwork range) => range.BaseAddress.AddressFamily;

    private static int Shortest(IPNetwork range) => Family(range) == AddressFamily.InterNetworkV6 ? ShortestPrefixIPv6 : ShortestPrefix;

    private static bool Overlap(IPNetwork a, IPNetwork b) => a.Contains(b.BaseAddress) || b.Contains(a.BaseAddress);
}
