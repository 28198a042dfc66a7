using Podhost.Control.Scheduler.Filters;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Scores;

/// <summary>Avoids nodes with PreferNoSchedule taints that the pod does not tolerate.</summary>
internal sealed class TaintPreferenceScore : INodeScore
{
    public int Weight => 3;

    public double Score(PodView pod, NodeView node, ClusterView cluster)
    {
        var soft = node.Taints.Where(t => t.Effect == "PreferNoSchedule").ToList();
        return soft.Count == 0 ? 100 : 100.0 * soft.Count(t => Tolerations.Tolerates(pod.Spec.Tolerations, t)) / soft.Count;
    }
}
