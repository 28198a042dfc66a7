using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Scores;

/// <summary>Prefers nodes whose cpu and memory would be used to equal shares: 100 less the standard deviation of both.</summary>
internal sealed class BalancedAllocationScore : INodeScore
{
    public int Weight => 1;

    public long[]? Score(PodCycle cycle, IReadOnlyList<NodeView> nodes)
    {
        // As upstream: a pod that asks for nothing has no balance to keep.
        var pod = cycle.Pod.Asked;
        if (pod == default)
        {
            return null;
        }

        var points = new long[nodes.Count];
        for (var i = 0; i < points.Length; i++)
        {
            var (all, used) = (nodes[i].Most, nodes[i].Asked + pod);
            var deviation = all.Cpu > 0 && all.Memory > 0 ? Math.Abs((Share(used.Cpu, all.Cpu) - Share(used.Memory, all.Memory)) / 2) : 0;
            points[i] = (long)((1 - deviation) * Normalization.Max);
        }

        return points;
    }

    private static double Share(long used, long all) => Math.Min(1, (double)used / all);
}
