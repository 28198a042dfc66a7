using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>spec.nodeName.</summary>
internal sealed class NodeNameFilter : INodeFilter
{
    private static readonly Rejection Other = Rejection.Final("node(s) didn't match the requested node name");

    public ClusterChange Wakes => ClusterChange.NodeAdded;

    public Rejection? Reject(PodCycle cycle, NodeView node) =>
        string.IsNullOrEmpty(cycle.Pod.Spec.NodeName) || cycle.Pod.Spec.NodeName == node.Name ? null : Other;
}
