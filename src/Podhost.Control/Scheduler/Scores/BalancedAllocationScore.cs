using Podhost.Api.Pods;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Scores;

/// <summary>Prefers nodes whose cpu and memory would be used to equal shares: 100 less the standard deviation of both.</summary>
internal sealed class BalancedAllocationScore : INodeScore
{
    public int Weight => 1;

    public long[]? Score(PodCycle cycle, IReadOnlyList<NodeView> nodes)
    {
        // As upstream: a pod that asks for nothing has no balance to keep.
        var pod = cycle.Pod;
        if (pod.Requests.Get(ResourceNames.Cpu) == 0 && pod.Requests.Get(ResourceNames.Memory) == 0)
        {
            return null;
        }

        var points = new long[nodes.Count];
        for (var i = 0; i < nodes.Count; i++)
        {
            var difference = Math.Abs(Share(pod, nodes[i], ResourceNames.Cpu) - Share(pod, nodes[i], ResourceNames.Memory));
            points[i] = (long)((1 - (difference / 2)) * Normalization.Max);
        }

        return points;
    }

    private static double Share(PodView pod, NodeView node, string resource)
    {
        var allocatable = (double)node.Allocatable.Get(resource);
        return allocatable <= 0 ? 1 : Math.Min(1, (double)(node.Requested.Get(resource) + pod.Requests.Get(resource)) / allocatable);
    }
}
