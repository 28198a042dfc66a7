using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>Taints NoSchedule and NoExecute that the pod does not tolerate.</summary>
internal sealed class TaintTolerationFilter : INodeFilter
{
    public ClusterChange Wakes => ClusterChange.NodeAdded | ClusterChange.NodeTaints;

    public Rejection? Reject(PodCycle cycle, NodeView node) => Tolerates(cycle.Pod, node, out var reason) ? null : Rejection.Final(reason);

    /// <summary>True where the pod tolerates all hard taints of the node.</summary>
    internal static bool Tolerates(PodView pod, NodeView node, out string reason)
    {
        var untolerated = node.Taints.Length == 0
            ? null
            : Array.Find(node.Taints, t => t.Effect is "NoSchedule" or "NoExecute" && !Tolerations.Tolerates(pod.Spec.Tolerations, t));
        reason = untolerated is null ? "" : $"node(s) had untolerated taint {{{untolerated.Key}: {untolerated.Value}}}";
        return untolerated is null;
    }
}
