using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Scores;

/// <summary>Prefers nodes with the larger share of cpu and memory left. A resource that a node does not have does not count.</summary>
internal sealed class LeastAllocatedScore : INodeScore
{
    public int Weight => 1;

    public long[] Score(PodCycle cycle, IReadOnlyList<NodeView> nodes)
    {
        var points = new long[nodes.Count];
        for (var i = 0; i < points.Length; i++)
        {
            var (all, used) = (nodes[i].Most, nodes[i].Scored + cycle.Pod.Scored);
            var kinds = (all.Cpu > 0 ? 1 : 0) + (all.Memory > 0 ? 1 : 0);
            points[i] = kinds == 0 ? 0 : (Left(all.Cpu, used.Cpu) + Left(all.Memory, used.Memory)) / kinds;
        }

        return points;
    }

    private static long Left(long all, long used) => all <= 0 || used > all ? 0 : (long)((Int128)(all - used) * Normalization.Max / all);
}
