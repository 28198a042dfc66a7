using Podhost.Control.Scheduler.Filters;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Scores;

/// <summary>Avoids nodes with PreferNoSchedule taints that the pod does not tolerate.</summary>
internal sealed class TaintPreferenceScore : INodeScore
{
    public int Weight => 3;

    public long[]? Score(PodCycle cycle, IReadOnlyList<NodeView> nodes)
    {
        var points = new long[nodes.Count];
        var any = false;
        for (var i = 0; i < nodes.Count; i++)
        {
            points[i] = nodes[i].Taints.Length == 0 ? 0 : nodes[i].Taints.LongCount(t => t.Effect == "PreferNoSchedule" && !Tolerations.Tolerates(cycle.Pod.Spec.Tolerations, t));
            any |= points[i] > 0;
        }

        return any ? Normalization.ByLargest(points, reverse: true) : null;
    }
}
