using k8s.Models;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>spec.unschedulable (cordon), unless the pod tolerates its taint.</summary>
internal sealed class NodeUnschedulableFilter : INodeFilter
{
    private static readonly V1Taint Taint = new() { Key = "node.kubernetes.io/unschedulable", Effect = "NoSchedule" };

    public IEnumerable<string> Reject(PodView pod, NodeView node, ClusterView cluster) =>
        node.Node.Spec?.Unschedulable == true && !Tolerations.Tolerates(pod.Spec.Tolerations, Taint) ? ["node(s) were unschedulable"] : [];
}
