using System.Globalization;
using k8s.Models;
using Podhost.Kubelet.Eviction;
using Podhost.Kubelet.Resources;

namespace Podhost.Kubelet.Node;

/// <summary>
/// Which pods leave for a critical one that the node has no room for. Pure. Source: upstream's critical pod admission handler: as few of the better
/// quality classes as will do, of each class those whose requests come nearest to what is missing.
/// </summary>
internal static class PreemptionRules
{
    /// <summary>The pods that leave.</summary>
    /// <param name="critical">The pod that comes.</param>
    /// <param name="others">The pods of the node.</param>
    /// <param name="shortages">What is missing for it.</param>
    /// <exception cref="PreemptionException">Not even all that may leave would make room.</exception>
    public static IReadOnlyList<V1Pod> Choose(V1Pod critical, IReadOnlyList<V1Pod> others, IReadOnlyList<Shortage> shortages)
    {
        var classes = others.Where(other => MayLeave(critical, other)).ToLookup(QosRules.Of);
        var (bestEffort, burstable, guaranteed) = (classes[QosClass.BestEffort].ToList(), classes[QosClass.Burstable].ToList(), classes[QosClass.Guaranteed].ToList());
        if (Without(shortages, [.. bestEffort, .. burstable, .. guaranteed]) is { Count: > 0 } missing)
        {
            throw new PreemptionException(missing);
        }

        var guaranteedOnes = Nearest(guaranteed, Without(shortages, [.. bestEffort, .. burstable]));
        var burstableOnes = Nearest(burstable, Without(shortages, [.. bestEffort, .. guaranteedOnes]));
        var bestEffortOnes = Nearest(bestEffort, Without(shortages, [.. burstableOnes, .. guaranteedOnes]));
        return [.. bestEffortOnes, .. burstableOnes, .. guaranteedOnes];
    }

    private static bool MayLeave(V1Pod critical, V1Pod other) =>
        !StorageLimits.IsCritical(other) || (critical.Spec.Priority is { } high && other.Spec.Priority is { } low && high > low);

    private static List<V1Pod> Nearest(List<V1Pod> candidates, IReadOnlyList<Shortage> missing)
    {
        var chosen = new List<V1Pod>();
        var left = candidates.ToList();
        while (missing.Count > 0)
        {
            // The first test has shown that there are enough.
            var best = left.Aggregate((a, b) => Distance(b, missing).CompareTo(Distance(a, missing)) is var order && (order < 0 || (order == 0 && AsksForLess(b, a))) ? b : a);
            left.Remove(best);
            chosen.Add(best);
            missing = Without(missing, [best]);
        }

        return chosen;
    }

    private static double Distance(V1Pod pod, IReadOnlyList<Shortage> missing) =>
        missing.Sum(m => m.Amount - Of(pod, m.Resource) is > 0 and var rest ? Math.Pow((double)rest / m.Amount, 2) : 0);

    private static bool AsksForLess(V1Pod pod, V1Pod than) =>
        (Of(pod, ResourceNames.Memory), Of(pod, ResourceNames.Cpu)).CompareTo((Of(than, ResourceNames.Memory), Of(than, ResourceNames.Cpu))) <= 0;

    private static List<Shortage> Without(IReadOnlyList<Shortage> shortages, IReadOnlyList<V1Pod> pods) =>
        [.. shortages.Select(s => s with { Amount = s.Amount - pods.Sum(p => Of(p, s.Resource)) }).Where(s => s.Amount > 0)];

    private static long Of(V1Pod pod, string resource) => resource switch
    {
        "pods" => 1,
        ResourceNames.Cpu => Quantities.MilliValue(PodResources.Requests(pod).Get(resource)),
        _ => Quantities.Value(PodResources.Requests(pod).Get(resource)),
    };
}

/// <summary>What a node lacks for a pod.</summary>
/// <param name="Resource">Name of the resource.</param>
/// <param name="Amount">How much: millicores, bytes, pods.</param>
internal sealed record Shortage(string Resource, long Amount);

/// <summary>No pods could make enough room.</summary>
internal sealed class PreemptionException(IReadOnlyList<Shortage> missing) : Exception(
    $"preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: [{string.Concat(missing.Select(m => string.Create(CultureInfo.InvariantCulture, $"(res: {m.Resource}, q: {m.Amount}), ")))}]");
