using Podhost.Control.Scheduler.Filters;
using Podhost.Control.Scheduler.Model;
using Podhost.Control.Scheduler.Scores;

namespace Podhost.Control.Scheduler;

/// <summary>Where one pod goes in one view of the cluster. Pure: no clock, no I/O, ties by name.</summary>
internal static class SchedulingDecider
{
    private static readonly INodeFilter[] Filters =
    [
        new NodeUnschedulableFilter(),
        new NodeNameFilter(),
        new TaintTolerationFilter(),
        new NodeAffinityFilter(),
        new NodePortsFilter(),
        new NodeResourcesFitFilter(),
        new VolumeFilter(),
        new TopologySpreadFilter(),
        new PodAffinityFilter(),
    ];

    private static readonly INodeScore[] Scores =
    [
        new LeastAllocatedScore(),
        new PreferredNodeAffinityScore(),
        new PreferredPodAffinityScore(),
        new TaintPreferenceScore(),
        new ImageLocalityScore(),
    ];

    public static SchedulingResult Decide(PodView pod, ClusterView cluster)
    {
        if (cluster.Nodes.Count == 0)
        {
            return SchedulingResult.Unschedulable("no nodes available to schedule pods");
        }

        if (cluster.Storage.Refuse(pod) is { } refused)
        {
            return SchedulingResult.Unschedulable($"0/{cluster.Nodes.Count} nodes are available: {refused}.");
        }

        var reasons = new Dictionary<string, int>(StringComparer.Ordinal);
        var feasible = new List<NodeView>();
        foreach (var node in cluster.Nodes)
        {
            // As upstream: the first filter that rejects a node speaks for it, with all of its reasons.
            var rejected = Filters.Select(f => f.Reject(pod, node, cluster).ToList()).FirstOrDefault(r => r.Count > 0);
            if (rejected is null)
            {
                feasible.Add(node);
                continue;
            }

            foreach (var reason in rejected)
            {
                reasons[reason] = reasons.GetValueOrDefault(reason) + 1;
            }
        }

        return feasible.Count > 0
            ? SchedulingResult.Fits(Best(pod, feasible, cluster))
            : SchedulingResult.Unschedulable($"0/{cluster.Nodes.Count} nodes are available: {string.Join(", ", Told(reasons))}.");
    }

    // As upstream: sorted with their counts in front.
    private static IEnumerable<string> Told(Dictionary<string, int> reasons) => reasons.Select(r => $"{r.Value} {r.Key}").Order(StringComparer.Ordinal);

    private static string Best(PodView pod, List<NodeView> feasible, ClusterView cluster) => feasible.Count == 1
        ? feasible[0].Name
        : feasible
            .OrderByDescending(n => Scores.Sum(s => s.Weight * s.Score(pod, n, cluster)))
            .ThenBy(n => n.Name, StringComparer.Ordinal)
            .First().Name;
}
