using k8s.Models;
using Podhost.Control.Scheduler.Filters;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Scores;

/// <summary>
/// Soft spread constraints: fewer matching pods in a node's domains are better. A pod without constraints is spread over hosts and zones
/// beside the pods of its Services and of its controller (upstream's default constraints: maxSkew 3 by host, 5 by zone).
/// </summary>
internal sealed class SpreadScore : INodeScore
{
    private const string Host = "kubernetes.io/hostname";
    private const string Zone = "topology.kubernetes.io/zone";

    public int Weight => 2;

    public long[]? Score(PodCycle cycle, IReadOnlyList<NodeView> nodes)
    {
        var own = cycle.Pod.Spec.TopologySpreadConstraints is { Count: > 0 };
        var constraints = own ? OwnConstraints(cycle.Pod) : DefaultConstraints(cycle);
        if (constraints.Count == 0)
        {
            return null;
        }

        // A node that lacks a label of the pod's own constraints is the worst. By default a node without a zone is still spread by host.
        var counted = own ? [.. nodes.Where(n => constraints.TrueForAll(c => n.Label(c.Key) is not null))] : nodes;
        var sums = new double[nodes.Count];
        foreach (var constraint in constraints)
        {
            Add(constraint, cycle.Cluster.Nodes, nodes, counted, sums);
        }

        var ignored = counted.Count < nodes.Count ? nodes.Except(counted).ToHashSet() : [];
        return Reverse([.. sums.Select((s, i) => ignored.Contains(nodes[i]) ? (long?)null : (long)Math.Round(s, MidpointRounding.AwayFromZero))]);
    }

    // Larger topologies hold more pods a domain by nature: the logarithm keeps one of the constraints from drowning the others.
    private static void Add(SoftConstraint constraint, NodeView[] all, IReadOnlyList<NodeView> nodes, IReadOnlyList<NodeView> counted, double[] sums)
    {
        var domains = constraint.Key == Host ? null : InDomains(constraint, all, counted);
        var weight = Math.Log((domains?.Count ?? counted.Count) + 2);
        for (var i = 0; i < nodes.Count; i++)
        {
            if (nodes[i].Label(constraint.Key) is { } domain)
            {
                var count = domains is null ? constraint.Mates.CountOn(nodes[i]) : domains.GetValueOrDefault(domain);
                sums[i] += (count * weight) + (constraint.MaxSkew - 1);
            }
        }
    }

    // Matching pods of the domains that the candidates are in.
    private static Dictionary<string, int> InDomains(SoftConstraint constraint, NodeView[] all, IReadOnlyList<NodeView> counted)
    {
        var domains = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var node in counted)
        {
            domains.TryAdd(node.Label(constraint.Key) ?? "", 0);
        }

        foreach (var node in all)
        {
            var domain = node.Label(constraint.Key) ?? "";
            if (domains.TryGetValue(domain, out var count) && constraint.Includes(node))
            {
                domains[domain] = count + constraint.Mates.CountOn(node);
            }
        }

        return domains;
    }

    private static List<SoftConstraint> OwnConstraints(PodView pod)
    {
        var soft = SpreadCounts.Of(pod, "ScheduleAnyway");
        return soft.ConvertAll(c => new SoftConstraint(
            c.TopologyKey,
            c.MaxSkew,
            SpreadCounts.Mates(c, pod),
            n => soft.TrueForAll(s => n.Label(s.TopologyKey) is not null) && SpreadCounts.Includes(c, pod, n)));
    }

    private static List<SoftConstraint> DefaultConstraints(PodCycle cycle)
    {
        var pod = cycle.Pod;
        var services = cycle.Cluster.Services.Of(pod);
        var controller = pod.Traits.Controller;
        if (services.Count == 0 && controller is null)
        {
            return [];
        }

        var mates = new TraitsMatcher(other =>
            other.Namespace == pod.Namespace
            && !other.IsTerminating
            && (controller is null || other.Controller == controller)
            && services.All(s => ServiceSelectors.Selects(s, other)));
        return [new SoftConstraint(Host, 3, mates, n => NodeAffinityFilter.Matches(pod.Spec, n)), new SoftConstraint(Zone, 5, mates, n => NodeAffinityFilter.Matches(pod.Spec, n))];
    }

    private static long[] Reverse(long?[] points)
    {
        var (least, largest) = (points.Min() ?? 0, points.Max() ?? 0);
        return Array.ConvertAll(points, p => p is not { } own ? 0 : largest == 0 ? Normalization.Max : Normalization.Max * (largest + least - own) / largest);
    }

    private sealed record SoftConstraint(string Key, int MaxSkew, TraitsMatcher Mates, Func<NodeView, bool> Includes);
}
