using k8s.Models;

namespace Podhost.Kubelet.Resources;

/// <summary>oom_score_adj: the less of its request a container may lose, the later the kernel picks it.</summary>
internal static class OomScore
{
    public const int Guaranteed = -997;
    public const int BestEffort = 1000;
    private const int BurstableMin = 2;
    private const int BurstableMax = 999;
    private const int SystemCriticalPriority = 2_000_000_000;

    /// <summary>The value for one container of a pod.</summary>
    public static int Of(V1Pod pod, V1Container container, long memoryCapacity)
    {
        if (pod.Spec.Priority >= SystemCriticalPriority)
        {
            return Guaranteed;
        }

        switch (QosRules.Of(pod))
        {
            case QosClass.Guaranteed: return Guaranteed;
            case QosClass.BestEffort: return BestEffort;
        }

        var request = Request(container) + UnclaimedPodRequest(pod.Spec);
        var score = Burstable(request, memoryCapacity);
        if ((pod.Spec.InitContainers ?? []).Any(c => c.Name == container.Name && PodResources.IsSidecar(c)))
        {
            // A sidecar must not go before the least protected of the containers that it serves.
            var least = pod.Spec.Containers.Min(Request) + UnclaimedPodRequest(pod.Spec);
            score = Math.Min(score, Burstable(least, memoryCapacity));
        }

        return score;
    }

    private static int Burstable(decimal request, long memoryCapacity) =>
        memoryCapacity <= 0
            ? BurstableMax
            : (int)Math.Clamp(1000 - decimal.Floor(1000 * request / memoryCapacity), BurstableMin, BurstableMax);

    private static decimal Request(V1Container container) => Quantities.Value(container.Resources?.Requests.Get(ResourceNames.Memory) ?? 0);

    /// <summary>What spec.resources requests beyond its containers, shared out evenly.</summary>
    private static decimal UnclaimedPodRequest(V1PodSpec spec)
    {
        var podLevel = spec.Resources?.Requests.Get(ResourceNames.Memory) ?? 0;
        if (podLevel == 0)
        {
            return 0;
        }

        var sharers = spec.Containers.Concat((spec.InitContainers ?? []).Where(PodResources.IsSidecar)).ToList();
        var unclaimed = podLevel - sharers.Sum(Request);
        return unclaimed > 0 ? decimal.Floor(unclaimed / sharers.Count) : 0;
    }
}
