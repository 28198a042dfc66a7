using k8s.Models;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>spec.unschedulable (cordon), unless the pod tolerates its taint.</summary>
internal sealed class NodeUnschedulableFilter : INodeFilter
{
    private static readonly V1Taint Taint = new() { Key = "node.kubernetes.io/unschedulable", Effect = "NoSchedule" };
    private static readonly Rejection Cordoned = Rejection.Final("node(s) were unschedulable");

    public ClusterChange Wakes => ClusterChange.NodeAdded | ClusterChange.NodeTaints;

    public Rejection? Reject(PodCycle cycle, NodeView node) =>
        node.IsUnschedulable && !Tolerations.Tolerates(cycle.Pod.Spec.Tolerations, Taint) ? Cordoned : null;
}
