using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using k8s.Models;

namespace Podhost.Control.Controllers.NodeIpam;

/// <summary>Which range of pod addresses a node gets. Pure. Source: upstream's range allocator and its set of CIDRs.</summary>
public static class NodeIpamRules
{
    /// <summary>The range of the first node.</summary>
    /// <param name="clusterCidr">The range of all pods, IPv4.</param>
    /// <param name="maskSize">Length of the prefix of a node's range, not shorter than the cluster's.</param>
    public static IPNetwork First(IPNetwork clusterCidr, int maskSize) => new(clusterCidr.BaseAddress, maskSize);

    /// <summary>The range for a node; null: all are taken.</summary>
    /// <param name="options">What is cut.</param>
    /// <param name="node">The node's name.</param>
    /// <param name="taken">Ranges that nodes have, in any order and of any size. What lies outside of the cluster's range does not matter.</param>
    internal static IPNetwork? Next(NodeIpamOptions options, string node, IEnumerable<IPNetwork> taken)
    {
        var (cluster, mask) = (options.ClusterCidr, options.NodeMaskSize);
        if (options.FirstNode == node)
        {
            var own = First(cluster, mask);
            return taken.Any(t => Overlap(t, own)) ? null : own;
        }

        // Over the taken ranges from the lowest on, each of which moves the candidate behind itself: as many steps as there are nodes.
        var start = Number(cluster.BaseAddress);
        var (size, end) = (1L << (32 - mask), start + (1L << (32 - cluster.PrefixLength)));
        var candidate = options.FirstNode is null ? start : start + size;
        foreach (var range in taken.Where(t => Overlap(t, cluster)).OrderBy(t => Number(t.BaseAddress)))
        {
            var (from, behind) = (Number(range.BaseAddress), Number(range.BaseAddress) + (1L << (32 - range.PrefixLength)));
            if (from >= candidate + size)
            {
                break;
            }

            if (behind > candidate)
            {
                candidate = start + ((behind - start + size - 1) / size * size);
            }
        }

        return candidate + size <= end ? new IPNetwork(Address(candidate), mask) : null;
    }

    /// <summary>A node's ranges, those that can be read.</summary>
    internal static IEnumerable<IPNetwork> RangesOf(V1Node node) =>
        (node.Spec?.PodCIDRs ?? (node.Spec?.PodCIDR is { Length: > 0 } one ? [one] : [])).Where(r => IPNetwork.TryParse(r, out _)).Select(r => IPNetwork.Parse(r));

    /// <summary>The node has a range already, readable or not: it is never changed.</summary>
    internal static bool HasRange(V1Node node) => node.Spec?.PodCIDRs is { Count: > 0 } || !string.IsNullOrEmpty(node.Spec?.PodCIDR);

    private static bool Overlap(IPNetwork a, IPNetwork b) => a.Contains(b.BaseAddress) || b.Contains(a.BaseAddress);

    private static long Number(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork
        ? BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes())
        : throw new ArgumentException($"{address} is no IPv4 address", nameof(address));

    private static IPAddress Address(long number)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)number);
        return new IPAddress(bytes);
    }
}
