using Podhost.Api.Pods;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>Requests against what is allocatable and not asked for yet.</summary>
internal sealed class NodeResourcesFitFilter : INodeFilter
{
    public ClusterChange Wakes => ClusterChange.NodeAdded | ClusterChange.NodeAllocatable | ClusterChange.PodGone | ClusterChange.PodResized;

    public Rejection? Reject(PodCycle cycle, NodeView node)
    {
        List<string>? reasons = null;
        var helps = true;
        if (node.Pods.Length + 1 > node.MostPods)
        {
            (reasons ??= []).Add("Too many pods");
        }

        foreach (var (name, wanted) in cycle.Pod.Wanted)
        {
            var allocatable = node.Allocatable.Get(name);
            if (wanted > allocatable - node.Requested.Get(name))
            {
                (reasons ??= []).Add($"Insufficient {name}");

                // More than the whole node has: no victim makes room for that.
                helps &= wanted <= allocatable;
            }
        }

        return reasons is null ? null : new Rejection(reasons, helps);
    }
}
