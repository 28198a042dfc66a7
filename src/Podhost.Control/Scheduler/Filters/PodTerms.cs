using k8s.Models;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>Whether a pod is one of those that an affinity term of another pod means.</summary>
internal static class PodTerms
{
    public static bool Matches(V1PodAffinityTerm term, PodView owner, PodView candidate, ClusterView cluster) =>
        !candidate.IsFinished
        && InNamespaces(term, owner, candidate, cluster)
        && LabelSelectors.Matches(term.LabelSelector, candidate.Labels)
        && (term.MatchLabelKeys ?? []).All(k => !owner.Labels.TryGetValue(k, out var v) || (candidate.Labels.TryGetValue(k, out var w) && v == w))
        && (term.MismatchLabelKeys ?? []).All(k => !owner.Labels.TryGetValue(k, out var v) || !candidate.Labels.TryGetValue(k, out var w) || v != w);

    private static bool InNamespaces(V1PodAffinityTerm term, PodView owner, PodView candidate, ClusterView cluster)
    {
        if (term.NamespaceSelector is null && term.Namespaces is not { Count: > 0 })
        {
            return candidate.Namespace == owner.Namespace;
        }

        return (term.Namespaces ?? []).Contains(candidate.Namespace)
            || (term.NamespaceSelector is not null
                && LabelSelectors.Matches(term.NamespaceSelector, cluster.NamespaceLabels.GetValueOrDefault(candidate.Namespace) ?? new Dictionary<string, string>()));
    }
}

/// <summary>Label selector objects; null selects nothing, an empty one everything.</summary>
internal static class LabelSelectors
{
    public static bool Matches(V1LabelSelector? selector, IDictionary<string, string> labels) =>
        selector is not null
        && (selector.MatchLabels ?? new Dictionary<string, string>()).All(m => labels.TryGetValue(m.Key, out var v) && v == m.Value)
        && (selector.MatchExpressions ?? []).All(e => Holds(e, labels));

    private static bool Holds(V1LabelSelectorRequirement requirement, IDictionary<string, string> labels)
    {
        var present = labels.TryGetValue(requirement.Key, out var value);
        return requirement.OperatorProperty switch
        {
            "In" => present && (requirement.Values ?? []).Contains(value!),
            "NotIn" => !present || !(requirement.Values ?? []).Contains(value!),
            "Exists" => present,
            "DoesNotExist" => !present,
            _ => false,
        };
    }
}
