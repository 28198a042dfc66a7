using Podhost.Control.Scheduler.Filters;
using Podhost.Control.Scheduler.Model;
using Podhost.Control.Scheduler.Scores;

namespace Podhost.Control.Scheduler;

/// <summary>Where one pod goes in one view of the cluster. Pure: no clock, no I/O, no chance.</summary>
internal static class SchedulingDecider
{
    private static readonly INodeFilter[] Filters =
    [
        new NamedNodesFilter(),
        new NodeUnschedulableFilter(),
        new NodeNameFilter(),
        new TaintTolerationFilter(),
        new NodeAffinityFilter(),
        new NodePortsFilter(),
        new NodeResourcesFitFilter(),
        new ExclusiveClaimFilter(),
        new VolumeFilter(),
        new TopologySpreadFilter(),
        new PodAffinityFilter(),
    ];

    private static readonly INodeScore[] Scores =
    [
        new LeastAllocatedScore(),
        new BalancedAllocationScore(),
        new PreferredNodeAffinityScore(),
        new PreferredPodAffinityScore(),
        new SpreadScore(),
        new TaintPreferenceScore(),
        new ImageLocalityScore(),
    ];

    // Of so many nodes at least, upstream's minFeasibleNodesToFind and minFeasibleNodesPercentageToFind.
    private const int FewNodes = 100;
    private const int LeastPercent = 5;

    /// <summary>Where a pod goes.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="cluster">The cluster.</param>
    /// <param name="first">The place of the node that is looked at first: where there are many, not all of them are.</param>
    public static SchedulingResult Decide(PodView pod, ClusterView cluster, int first = 0)
    {
        if (cluster.Nodes.Length == 0)
        {
            return SchedulingResult.Unschedulable("no nodes available to schedule pods", ClusterChange.NodeAdded);
        }

        if (cluster.Storage.Refuse(pod) is { } refused)
        {
            // Claims refuse the pod, whatever the nodes are: it is said once, not for each of them.
            var everywhere = Array.ConvertAll(cluster.Nodes, n => (n, Rejection.Final(refused)));
            return new SchedulingResult(null, $"0/{cluster.Nodes.Length} nodes are available: {refused}.", everywhere, ClusterChange.Storage);
        }

        var cycle = new PodCycle(pod, cluster);
        if (FitsNominated(cycle) is { } nominated)
        {
            return SchedulingResult.Fits(nominated);
        }

        var rejections = new List<(NodeView, Rejection)>();
        var feasible = new List<NodeView>(cluster.Nodes.Length);
        var wakes = ClusterChange.None;
        var (enough, looked) = (Enough(cluster.Nodes.Length), 0);
        for (; looked < cluster.Nodes.Length && feasible.Count < enough; looked++)
        {
            var node = cluster.Nodes[(first + looked) % cluster.Nodes.Length];
            if (Check(cycle, node, ref wakes) is { } why)
            {
                rejections.Add((node, why));
            }
            else
            {
                feasible.Add(node);
            }
        }

        return feasible.Count > 0
            ? SchedulingResult.Fits(Best(cycle, feasible), looked)
            : new SchedulingResult(null, Told(cluster.Nodes.Length, rejections.Select(r => r.Item2)), rejections, wakes);
    }

    /// <summary>How many nodes that the pod fits are enough to choose from: upstream's percentageOfNodesToScore where nobody sets it.</summary>
    public static int Enough(int nodes) => nodes < FewNodes ? nodes : Math.Max(FewNodes, nodes * Math.Max(LeastPercent, 50 - (nodes / 125)) / 100);

    /// <summary>Why a pod cannot run on a node of a view, or null where it can.</summary>
    public static Rejection? Check(PodCycle cycle, NodeView node)
    {
        var wakes = ClusterChange.None;
        return Check(cycle, node, ref wakes);
    }

    /// <summary>As upstream tells it: the reasons sorted, with the number of nodes in front.</summary>
    public static string Told(int nodes, IEnumerable<Rejection> rejections)
    {
        var reasons = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var reason in rejections.SelectMany(r => r.Reasons))
        {
            reasons[reason] = reasons.GetValueOrDefault(reason) + 1;
        }

        return $"0/{nodes} nodes are available: {string.Join(", ", reasons.Select(r => $"{r.Value} {r.Key}").Order(StringComparer.Ordinal))}.";
    }

    private static Rejection? Check(PodCycle cycle, NodeView node, ref ClusterChange wakes)
    {
        // Pods of at least its priority that wait for this node have their place in it already. The pod must fit with them and without them:
        // they may be what it wants to be near, and they may never come.
        var nominated = Array.FindAll(cycle.Cluster.NominatedOn(node.Name), p => p.Priority >= cycle.Pod.Priority && p.Uid != cycle.Pod.Uid);
        if (nominated.Length > 0)
        {
            var full = nominated.Aggregate(node, (n, p) => n.With(p));
            if (First(new PodCycle(cycle.Pod, cycle.Cluster.With(full)), full, ref wakes) is { } why)
            {
                return why;
            }
        }

        return First(cycle, node, ref wakes);
    }

    // As upstream: the first filter that rejects a node speaks for it, with all of its reasons.
    private static Rejection? First(PodCycle cycle, NodeView node, ref ClusterChange wakes)
    {
        foreach (var filter in Filters)
        {
            if (filter.Reject(cycle, node) is { } why)
            {
                wakes |= filter.Wakes;
                return why;
            }
        }

        return null;
    }

    // A pod that made room for itself takes that room, whatever else fits by now.
    private static string? FitsNominated(PodCycle cycle) =>
        cycle.Pod.Pod.Status?.NominatedNodeName is { Length: > 0 } name && cycle.Cluster.Find(name) is { } node && Check(cycle, node) is null ? name : null;

    private static string Best(PodCycle cycle, List<NodeView> feasible)
    {
        if (feasible.Count == 1)
        {
            return feasible[0].Name;
        }

        var totals = new long[feasible.Count];
        foreach (var score in Scores)
        {
            if (score.Score(cycle, feasible) is { } points)
            {
                for (var i = 0; i < totals.Length; i++)
                {
                    totals[i] += score.Weight * points[i];
                }
            }
        }

        // The first of the best wins: the first by name, unless the look began elsewhere.
        return feasible[Array.IndexOf(totals, totals.Max())].Name;
    }
}
