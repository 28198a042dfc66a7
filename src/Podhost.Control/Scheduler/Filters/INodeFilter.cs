using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>Says why a pod cannot run on a node. Pure.</summary>
internal interface INodeFilter
{
    /// <summary>The changes of the cluster that can turn a refusal of this filter.</summary>
    ClusterChange Wakes { get; }

    /// <summary>Why the node is refused, or null.</summary>
    Rejection? Reject(PodCycle cycle, NodeView node);
}
