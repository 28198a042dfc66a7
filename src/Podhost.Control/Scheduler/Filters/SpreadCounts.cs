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
        var mates = Mates(constraint, pod);
        var domains = new string?[cluster.Nodes.Length];
        for (var at = 0; at < domains.Length; at++)
        {
            var node = cluster.Nodes[at];
            if (node.Label(constraint.TopologyKey) is { } domain && keys.All(k => node.Label(k) is not null) && Includes(constraint, pod, node))
            {
                domains[at] = domain;
                _domains.TryAdd(domain, 0);
            }
        }

        foreach (var (other, places) in cluster.Traits.All)
        {
            foreach (var at in mates.Matches(other) ? places : [])
            {
                if (domains[at] is { } domain)
                {
                    _domains[domain] += cluster.Nodes[at].Traits.CountOf(other);
                }
            }
        }

        // Fewer domains than asked for: a new one, which would hold none, is to be preferred.
        _least = _domains.Count == 0 || _domains.Count < (constraint.MinDomains ?? 1) ? 0 : _domains.Values.Min();
        Self = mates.Matches(pod.Traits) ? 1 : 0;
    }

    public V1TopologySpreadConstraint Constraint { get; }

    /// <summary>1 where the pod itself is one of those that are counted.</summary>
    public int Self { get; }

    /// <summary>Counts the constraints with whenUnsatisfiable DoNotSchedule.</summary>
    public static SpreadCounts[] Hard(PodView pod, ClusterView cluster)
    {
        var constraints = Of(pod, "DoNotSchedule");
        var keys = constraints.ConvertAll(c => c.TopologyKey);
        return [.. constraints.Select(c => new SpreadCounts(c, pod, cluster, keys))];
    }

    /// <summary>The pod's constraints of one whenUnsatisfiable.</summary>
    public static List<V1TopologySpreadConstraint> Of(PodView pod, string whenUnsatisfiable) =>
        [.. (pod.Spec.TopologySpreadConstraints ?? []).Where(c => c.WhenUnsatisfiable == whenUnsatisfiable)];

    /// <summary>The pods that a constraint counts: those that leave count no more.</summary>
    public static TraitsMatcher Mates(V1TopologySpreadConstraint constraint, PodView pod) => new(other =>
        other.Namespace == pod.Namespace
        && !other.IsTerminating
        && LabelSelectors.Matches(constraint.LabelSelector, other.Labels)
        && (constraint.MatchLabelKeys ?? []).All(k => !pod.Labels.TryGetValue(k, out var v) || (other.Labels.TryGetValue(k, out var w) && v == w)));

    /// <summary>True where the constraint counts a node's pods: nodeAffinityPolicy is Honor and nodeTaintsPolicy Ignore unless said otherwise.</summary>
    public static bool Includes(V1TopologySpreadConstraint constraint, PodView pod, NodeView node) =>
        (constraint.NodeAffinityPolicy == "Ignore" || NodeAffinityFilter.Matches(pod.Spec, node))
        && (constraint.NodeTaintsPolicy != "Honor" || TaintTolerationFilter.Tolerates(pod, node));

    /// <summary>How many more matching pods the domain would hold than the emptiest.</summary>
    public int Skew(string domain) => In(domain) + Self - _least;

    private int In(string domain) => _domains.GetValueOrDefault(domain);
}
