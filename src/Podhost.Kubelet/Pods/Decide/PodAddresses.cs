using System.Collections.Immutable;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>A pod's addresses in the order in which its status has them. Pure. Source: upstream's sortPodIPs.</summary>
internal static class PodAddresses
{
    /// <summary>One of each family, that of the node's primary address first: runtimes of others put IPv4 first, or the order of a network's configuration.</summary>
    /// <param name="ofRuntime">As the runtime gives them.</param>
    /// <param name="ofNode">The node's, the primary one first.</param>
    public static ImmutableArray<string> Order(ImmutableArray<string> ofRuntime, ImmutableArray<string> ofNode) =>
        ofRuntime.Length < 2 ? ofRuntime : [.. ofRuntime.DistinctBy(IsIPv6).OrderBy(ip => ofNode.Length > 0 && IsIPv6(ip) != IsIPv6(ofNode[0]))];

    private static bool IsIPv6(string address) => address.Contains(':', StringComparison.Ordinal);
}
