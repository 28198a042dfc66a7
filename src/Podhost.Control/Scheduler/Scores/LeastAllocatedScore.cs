using Podhost.Api.Pods;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Scores;

/// <summary>Prefers nodes with the larger share of cpu and memory left.</summary>
internal sealed class LeastAllocatedScore : INodeScore
{
    public int Weight => 1;

    public long[] Score(PodCycle cycle, IReadOnlyList<NodeView> nodes)
    {
        var points = new long[nodes.Count];
        for (var i = 0; i < nodes.Count; i++)
        {
            var node = nodes[i];
            points[i] = (Left(node, ResourceNames.Cpu, node.ScoredCpu + cycle.Pod.ScoredCpu) + Left(node, ResourceNames.Memory, node.ScoredMemory + cycle.Pod.ScoredMemory)) / 2;
        }

        return points;
    }

    private static long Left(NodeView node, string resource, decimal used)
    {
        var allocatable = (double)node.Allocatable.Get(resource);
        return allocatable <= 0 || (double)used > allocatable ? 0 : (long)((allocatable - (double)used) / allocatable * Normalization.Max);
    }
}
