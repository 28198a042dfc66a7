using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>Taints NoSchedule and NoExecute that the pod does not tolerate.</summary>
internal sealed class TaintTolerationFilter : INodeFilter
{
    public IEnumerable<string> Reject(PodView pod, NodeView node, ClusterView cluster)
    {
        var untolerated = node.Taints.FirstOrDefault(t => t.Effect is "NoSchedule" or "NoExecute" && !Tolerations.Tolerates(pod.Spec.Tolerations, t));
        return untolerated is null ? [] : [$"node(s) had untolerated taint {{{untolerated.Key}: {untolerated.Value}}}"];
    }
}
