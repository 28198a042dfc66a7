using Podhost.Control.Objects;
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
        var points = cycle.Pod.Spec.TopologySpreadConstraints is { Count: > 0 } ? BySoftConstraints(cycle, nodes) : ByDefault(cycle, nodes);
        return points is null ? null : Reverse(points);
    }

    private static double[]? BySoftConstraints(PodCycle cycle, IReadOnlyList<NodeView> nodes)
    {
        var soft = SpreadCounts.Soft(cycle.Pod, cycle.Cluster);
        return soft.Count == 0 ? null : [.. nodes.Select(n => soft.Sum(s => Points(n, s.Constraint.TopologyKey, s.In, s.Domains, s.Constraint.MaxSkew)))];
    }

    private static double[]? ByDefault(PodCycle cycle, IReadOnlyList<NodeView> nodes)
    {
        var services = cycle.Cluster.Services.Of(cycle.Pod);
        var owner = OwnerOf(cycle.Pod.Pod);
        if (services.Count == 0 && owner is null)
        {
            return null;
        }

        var hosts = new Dictionary<string, int>();
        var zones = new Dictionary<string, int>();
        foreach (var node in cycle.Cluster.Nodes)
        {
            var count = node.Pods.Count(p => p.Namespace == cycle.Pod.Namespace && !p.IsTerminating && IsMate(p, services, owner));
            Count(hosts, node.Label(Host), count);
            Count(zones, node.Label(Zone), count);
        }

        return [.. nodes.Select(n => Points(n, Host, d => hosts.GetValueOrDefault(d), hosts.Count, 3) + Points(n, Zone, d => zones.GetValueOrDefault(d), zones.Count, 5))];
    }

    // Larger topologies hold more pods a domain by nature: the logarithm keeps one of the constraints from drowning the others.
    private static double Points(NodeView node, string key, Func<string, int> count, int domains, int maxSkew) =>
        node.Label(key) is { } domain ? (count(domain) * Math.Log(domains + 2)) + (maxSkew - 1) : 0;

    private static long[] Reverse(double[] points)
    {
        var (least, largest) = (points.Min(), points.Max());
        return Array.ConvertAll(points, p => largest == 0 ? Normalization.Max : (long)(Normalization.Max * (largest + least - p) / largest));
    }

    private static bool IsMate(PodView other, IReadOnlyList<IDictionary<string, string>> services, string? owner) =>
        services.Any(s => ServiceSelectors.Selects(s, other)) || (owner is not null && OwnerOf(other.Pod) == owner);

    private static string? OwnerOf(V1Pod pod) => Ownership.ControllerOf(pod)?.Uid;

    private static void Count(Dictionary<string, int> domains, string? domain, int count)
    {
        if (domain is not null)
        {
            domains[domain] = domains.GetValueOrDefault(domain) + count;
        }
    }
}
