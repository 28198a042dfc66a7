using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>Says why a pod cannot run on a node. Pure.</summary>
internal interface INodeFilter
{
    /// <summary>The reasons as upstream prints them; empty where the node passes.</summary>
    IEnumerable<string> Reject(PodView pod, NodeView node, ClusterView cluster);
}
