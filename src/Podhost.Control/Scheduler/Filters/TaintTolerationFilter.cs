using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>Taints NoSchedule and NoExecute that the pod does not tolerate.</summary>
internal sealed class TaintTolerationFilter : INodeFilter
{
    private static readonly Rejection Untolerated = Rejection.Final("node(s) had untolerated taint(s)");

    public ClusterChange Wakes => ClusterChange.NodeAdded | ClusterChange.NodeTaints;

    public Rejection? Reject(PodCycle cycle, NodeView node) => Tolerates(cycle.Pod, node) ? null : Untolerated;

    /// <summary>True where the pod tolerates all hard taints of the node.</summary>
    internal static bool Tolerates(PodView pod, NodeView node) => node.Taints.Length == 0
        || Array.TrueForAll(node.Taints, t => t.Effect is not ("NoSchedule" or "NoExecute") || Tolerations.Tolerates(pod.Spec.Tolerations, t));
}
