using System.Net;
using System.Net.Sockets;
using k8s.Models;
using Podhost.Api.Addresses;

namespace Podhost.Control.Controllers.NodeIpam;

/// <summary>Which range of pod addresses a node gets. Pure. Source: upstream's range allocator and its set of CIDRs.</summary>
public static class NodeIpamRules
{
    /// <summary>The range of the first node.</summary>
    /// <param name="cluster">What is cut.</param>
    public static IPNetwork First(ClusterRange cluster)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        return new(cluster.Cidr.BaseAddress, cluster.NodeMaskSize);
    }

    /// <summary>The ranges for a node, one of each of the cluster's; null: of one all are taken.</summary>
    /// <param name="options">What is cut.</param>
    /// <param name="node">The node's name.</param>
    /// <param name="taken">Ranges that nodes have, as in <see cref="Next(ClusterRange, bool, bool, IEnumerable{IPNetwork})"/>.</param>
    internal static IReadOnlyList<IPNetwork>? Next(NodeIpamOptions options, string node, IReadOnlyList<IPNetwork> taken)
    {
        var ranges = options.Ranges.Select(r => Next(r, options.FirstNode == node, options.FirstNode is not null, taken)).ToList();
        return ranges.Contains(null) ? null : [.. ranges.OfType<IPNetwork>()];
    }

    /// <summary>The range for a node; null: all are taken.</summary>
    /// <param name="range">What is cut.</param>
    /// <param name="isFirst">It is the node that has the first one.</param>
    /// <param name="keepsFirst">There is such a node.</param>
    /// <param name="taken">Ranges that nodes have, in any order and of any size. What lies outside of the cluster's range does not matter.</param>
    internal static IPNetwork? Next(ClusterRange range, bool isFirst, bool keepsFirst, IEnumerable<IPNetwork> taken)
    {
        var (cluster, mask) = (range.Cidr, range.NodeMaskSize);
        var bits = cluster.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6 ? 128 : 32;
        if (isFirst)
        {
            var own = First(range);
            return taken.Any(t => Overlap(t, own)) ? null : own;
        }

        // Over the taken ranges from the lowest on, each of which moves the candidate behind itself: as many steps as there are nodes.
        var start = AddressNumber.Of(cluster.BaseAddress);
        var (size, end) = (UInt128.One << (bits - mask), start + (UInt128.One << (bits - cluster.PrefixLength)));
        var candidate = keepsFirst ? start + size : start;
        foreach (var given in taken.Where(t => Overlap(t, cluster)).OrderBy(t => AddressNumber.Of(t.BaseAddress)))
        {
            var (from, behind) = (AddressNumber.Of(given.BaseAddress), AddressNumber.Of(given.BaseAddress) + (UInt128.One << (bits - given.PrefixLength)));
            if (from >= candidate + size)
            {
                break;
            }

            if (behind > candidate)
            {
                candidate = start + ((behind - start + size - 1) / size * size);
            }
        }

        return candidate + size <= end ? new IPNetwork(AddressNumber.ToAddress(candidate, cluster.BaseAddress.AddressFamily), mask) : null;
    }

    /// <summary>A node's ranges, those that can be read.</summary>
    internal static IEnumerable<IPNetwork> RangesOf(V1Node node) =>
        (node.Spec?.PodCIDRs ?? (node.Spec?.PodCIDR is { Length: > 0 } one ? [one] : [])).Where(r => IPNetwork.TryParse(r, out _)).Select(r => IPNetwork.Parse(r));

    /// <summary>The node has a range already, readable or not: it is never changed.</summary>
    internal static bool HasRange(V1Node node) => node.Spec?.PodCIDRs is { Count: > 0 } || !string.IsNullOrEmpty(node.Spec?.PodCIDR);

    private static bool Overlap(IPNetwork a, IPNetwork b) => a.Contains(b.BaseAddress) || b.Contains(a.BaseAddress);
}
