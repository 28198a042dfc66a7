using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>spec.nodeName.</summary>
internal sealed class NodeNameFilter : INodeFilter
{
    public IEnumerable<string> Reject(PodView pod, NodeView node, ClusterView cluster) =>
        string.IsNullOrEmpty(pod.Spec.NodeName) || pod.Spec.NodeName == node.Name ? [] : ["node(s) didn't match the requested node name"];
}
