using Podhost.Api.Pods;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Scores;

/// <summary>Prefers nodes with the larger share of cpu and memory left.</summary>
internal sealed class LeastAllocatedScore : INodeScore
{
    // What a container without a request counts as here, so that pods without requests spread as well: upstream's non-zero defaults.
    private const decimal DefaultMilliCpu = 0.1m;
    private const decimal DefaultMemory = 200m * 1024 * 1024;

    public int Weight => 1;

    public double Score(PodView pod, NodeView node, ClusterView cluster) =>
        (Left(pod, node, ResourceNames.Cpu, DefaultMilliCpu) + Left(pod, node, ResourceNames.Memory, DefaultMemory)) / 2;

    private static double Left(PodView pod, NodeView node, string resource, decimal whenUnset)
    {
        var allocatable = node.Allocatable.Get(resource);
        var used = node.Pods.Append(pod).Sum(p => p.Requests.Get(resource) is > 0 and var r ? r : whenUnset);
        return allocatable <= 0 || used > allocatable ? 0 : (double)((allocatable - used) / allocatable * 100);
    }
}
