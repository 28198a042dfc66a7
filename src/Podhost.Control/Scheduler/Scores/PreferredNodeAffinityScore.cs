using Podhost.Control.Scheduler.Filters;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Scores;

/// <summary>Preferred node affinity: the weights of the terms that a node matches.</summary>
internal sealed class PreferredNodeAffinityScore : INodeScore
{
    public int Weight => 2;

    public long[]? Score(PodCycle cycle, IReadOnlyList<NodeView> nodes)
    {
        if (cycle.Pod.Spec.Affinity?.NodeAffinity?.PreferredDuringSchedulingIgnoredDuringExecution is not { Count: > 0 } preferred)
        {
            return null;
        }

        var points = nodes.Select(n => preferred.Where(p => NodeSelectorTerms.Matches(p.Preference, n)).Sum(p => (long)p.Weight)).ToArray();
        return Normalization.ByLargest(points, reverse: false);
    }
}
