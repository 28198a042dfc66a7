using k8s.Models;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>nodeSelector and required node affinity.</summary>
internal sealed class NodeAffinityFilter : INodeFilter
{
    private static readonly Rejection Mismatch = Rejection.Final("node(s) didn't match Pod's node affinity/selector");

    public ClusterChange Wakes => ClusterChange.NodeAdded | ClusterChange.NodeLabels;

    public Rejection? Reject(PodCycle cycle, NodeView node) => Matches(cycle.Pod.Spec, node) ? null : Mismatch;

    /// <summary>True where the node is one that the pod asks for.</summary>
    internal static bool Matches(V1PodSpec spec, NodeView node) => Matches(spec, node.Node);

    /// <summary>True where the node is one that the pod asks for.</summary>
    internal static bool Matches(V1PodSpec spec, V1Node node) => MatchesSelector(spec, node) && MatchesAffinity(spec, node);

    private static bool MatchesSelector(V1PodSpec spec, V1Node node) =>
        spec.NodeSelector is not { Count: > 0 } selector || selector.All(s => NodeSelectorTerms.Label(node, s.Key) == s.Value);

    private static bool MatchesAffinity(V1PodSpec spec, V1Node node) =>
        spec.Affinity?.NodeAffinity?.RequiredDuringSchedulingIgnoredDuringExecution is not { } required
        || (required.NodeSelectorTerms ?? []).Any(t => NodeSelectorTerms.Matches(t, node));
}

/// <summary>One term of a node selector: all of its expressions and fields; an empty term matches nothing.</summary>
internal static class NodeSelectorTerms
{
    public static bool Matches(V1NodeSelectorTerm term, NodeView node) => Matches(term, node.Node);

    public static string? Label(V1Node node, string key) => node.Metadata.Labels is { } labels && labels.TryGetValue(key, out var value) ? value : null;

    public static bool Matches(V1NodeSelectorTerm term, V1Node node)
    {
        var expressions = term.MatchExpressions ?? [];
        var fields = term.MatchFields ?? [];
        return expressions.Count + fields.Count > 0
            && expressions.All(e => Holds(e, Label(node, e.Key)))
            && fields.All(f => f.Key == "metadata.name" && Holds(f, node.Metadata.Name));
    }

    private static bool Holds(V1NodeSelectorRequirement requirement, string? value) => requirement.OperatorProperty switch
    {
        "In" => value is not null && (requirement.Values ?? []).Contains(value),
        "NotIn" => value is null || !(requirement.Values ?? []).Contains(value),
        "Exists" => value is not null,
        "DoesNotExist" => value is null,
        "Gt" => Compare(value, requirement) is > 0,
        "Lt" => Compare(value, requirement) is < 0,
        _ => false,
    };

    private static int? Compare(string? value, V1NodeSelectorRequirement requirement) =>
        requirement.Values is [var bound] && long.TryParse(value, out var left) && long.TryParse(bound, out var right) ? left.CompareTo(right) : null;
}
