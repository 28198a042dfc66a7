using k8s.Models;

namespace Podhost.Control.Controllers.PodGarbage;

/// <summary>Why a pod is garbage. Pure. Source: upstream's pod garbage collector.</summary>
internal static class PodGarbageRules
{
    /// <summary>The pod was told to go before it had a node: nobody else will end it.</summary>
    public static bool IsUnscheduledTerminating(V1Pod pod) => pod.Metadata.DeletionTimestamp is not null && string.IsNullOrEmpty(pod.Spec.NodeName);

    public static bool IsTerminated(V1Pod pod) => pod.Status?.Phase is not (null or "" or "Pending" or "Running" or "Unknown");

    /// <summary>The terminated pods above a threshold: evicted ones first, then the oldest.</summary>
    /// <param name="pods">All pods.</param>
    /// <param name="threshold">How many may stay; 0 or less for all.</param>
    public static IReadOnlyList<V1Pod> AboveThreshold(IEnumerable<V1Pod> pods, int threshold)
    {
        if (threshold <= 0)
        {
            return [];
        }

        var terminated = pods.Where(p => IsTerminated(p) && p.Metadata.DeletionTimestamp is null).ToList();
        return
        [
            .. terminated
                .OrderByDescending(p => p.Status is { Phase: "Failed", Reason: "Evicted" })
                .ThenBy(p => p.Metadata.CreationTimestamp)
                .ThenBy(p => p.Metadata.Name, StringComparer.Ordinal)
                .Take(Math.Max(0, terminated.Count - threshold)),
        ];
    }
}
