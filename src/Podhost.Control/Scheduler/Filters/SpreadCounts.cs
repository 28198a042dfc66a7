using k8s.Models;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>One spread constraint of a pod, counted: how many matching pods each topology domain holds. Immutable.</summary>
internal sealed class SpreadCounts
{
    private readonly Dictionary<string, int> _domains = new(StringComparer.Ordinal);
    private readonly int _least;

    private SpreadCounts(V1TopologySpreadConstraint constraint, PodView pod, ClusterView cluster, IReadOnlyList<string> keys)
    {
        Constraint = constraint;
        foreach (var node in cluster.Nodes)
        {
            if (node.Label(constraint.TopologyKey) is { } domain && keys.All(k => node.Label(k) is not null) && Counts(constraint, pod, node))
            {
                _domains[domain] = _domains.GetValueOrDefault(domain) + node.Pods.Count(p => Matches(constraint, pod, p));
            }
        }

        // Fewer domains than asked for: a new one, which would hold none, is to be preferred.
        _least = _domains.Count == 0 || _domains.Count < (constraint.MinDomains ?? 1) ? 0 : _domains.Values.Min();
        Self = Matches(constraint, pod, pod) ? 1 : 0;
    }

    public V1TopologySpreadConstraint Constraint { get; }

    /// <summary>1 where the pod itself is one of those that are counted.</summary>
    public int Self { get; }

    /// <summary>Domains with a node that counts.</summary>
    public int Domains => _domains.Count;

    /// <summary>Counts the constraints with whenUnsatisfiable DoNotSchedule.</summary>
    public static IReadOnlyList<SpreadCounts> Hard(PodView pod, ClusterView cluster) => Of(pod, cluster, "DoNotSchedule");

    /// <summary>Counts the constraints with whenUnsatisfiable ScheduleAnyway.</summary>
    public static IReadOnlyList<SpreadCounts> Soft(PodView pod, ClusterView cluster) => Of(pod, cluster, "ScheduleAnyway");

    /// <summary>Matching pods in a domain.</summary>
    public int In(string domain) => _domains.GetValueOrDefault(domain);

    /// <summary>How many more matching pods the domain would hold than the emptiest.</summary>
    public int Skew(string domain) => In(domain) + Self - _least;

    private static IReadOnlyList<SpreadCounts> Of(PodView pod, ClusterView cluster, string whenUnsatisfiable)
    {
        if (pod.Spec.TopologySpreadConstraints is not { Count: > 0 } all)
        {
            return [];
        }

        var constraints = all.Where(c => c.WhenUnsatisfiable == whenUnsatisfiable).ToList();
        var keys = constraints.Select(c => c.TopologyKey).ToList();
        return [.. constraints.Select(c => new SpreadCounts(c, pod, cluster, keys))];
    }

    // nodeAffinityPolicy is Honor and nodeTaintsPolicy Ignore unless said otherwise.
    private static bool Counts(V1TopologySpreadConstraint constraint, PodView pod, NodeView node) =>
        (constraint.NodeAffinityPolicy == "Ignore" || NodeAffinityFilter.Matches(pod.Spec, node))
        && (constraint.NodeTaintsPolicy != "Honor" || TaintTolerationFilter.Tolerates(pod, node, out _));

    private static bool Matches(V1TopologySpreadConstraint constraint, PodView pod, PodView other) =>
        other.Namespace == pod.Namespace
        && !other.IsTerminating
        && LabelSelectors.Matches(constraint.LabelSelector, other.Labels)
        && (constraint.MatchLabelKeys ?? []).All(k => !pod.Labels.TryGetValue(k, out var v) || (other.Labels.TryGetValue(k, out var w) && v == w));
}
