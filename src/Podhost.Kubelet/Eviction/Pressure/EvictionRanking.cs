using k8s.Models;
using Podhost.Api.Quantities;

namespace Podhost.Kubelet.Eviction.Pressure;

/// <summary>Who goes first. Pure. Source: upstream's rankMemoryPressure, rankDiskPressureFunc, rankPIDPressure.</summary>
internal static class EvictionRanking
{
    /// <summary>
    /// The pods in the order in which they are evicted: who uses more than it requested, then lower priority, then who uses most beyond its
    /// request. Process numbers have no requests: priority, then their number. Who cannot be measured goes before who can.
    /// </summary>
    public static IReadOnlyList<PodShare> Rank(IEnumerable<PodShare> pods, EvictionSignal signal, bool separateImages)
    {
        var ranked = pods.Select(p => (Share: p, Used: p.Of(signal, separateImages), Requested: Requested(p.Pod, signal)))
            .OrderBy(p => p.Used is null ? 0 : 1)
            .ThenBy(p => signal == EvictionSignal.PidAvailable || p.Used is null || p.Used > p.Requested ? 0 : 1)
            .ThenBy(p => p.Share.Pod.Spec.Priority ?? 0)
            .ThenByDescending(p => p.Used - p.Requested);
        return [.. ranked.Select(p => p.Share)];
    }

    /// <summary>True for pods that are never evicted: static and mirror pods and those of the system's priorities.</summary>
    public static bool IsSpared(V1Pod pod) => StorageLimits.IsCritical(pod);

    private static long Requested(V1Pod pod, EvictionSignal signal) =>
        EvictionSignals.IsMemory(signal) ? Quantities.Value(PodResources.Requests(pod).Get(ResourceNames.Memory))
        : EvictionSignals.IsDisk(signal) && !EvictionSignals.IsInodes(signal) ? Quantities.Value(PodResources.Requests(pod).Get(ResourceNames.EphemeralStorage))
        : 0;
}
