using System.Runtime.CompilerServices;
using k8s.Models;
using Podhost.Api.Selectors;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>Whether a pod is one of those that an affinity term of another pod means.</summary>
internal static class PodTerms
{
    public static bool Matches(V1PodAffinityTerm term, PodTraits owner, PodTraits candidate, ClusterView cluster) =>
        InNamespaces(term, owner, candidate, cluster)
        && LabelSelectors.Matches(term.LabelSelector, candidate.Labels)
        && (term.MatchLabelKeys ?? []).All(k => !owner.Labels.TryGetValue(k, out var v) || (candidate.Labels.TryGetValue(k, out var w) && v == w))
        && (term.MismatchLabelKeys ?? []).All(k => !owner.Labels.TryGetValue(k, out var v) || !candidate.Labels.TryGetValue(k, out var w) || v != w);

    private static bool InNamespaces(V1PodAffinityTerm term, PodTraits owner, PodTraits candidate, ClusterView cluster)
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

/// <summary>Label selectors of pods' terms, each compiled once for as long as its object lives; null selects nothing, an empty one everything.</summary>
internal static class LabelSelectors
{
    private static readonly ConditionalWeakTable<V1LabelSelector, LabelSelector> Compiled = [];

    public static bool Matches(V1LabelSelector? selector, IDictionary<string, string> labels) =>
        selector is not null && Compiled.GetValue(selector, Compile).Matches(key => labels.TryGetValue(key, out var value) ? value : null);

    // Validation refuses selectors that do not compile; one from an older store selects nothing rather than end the scheduler.
    private static LabelSelector Compile(V1LabelSelector selector)
    {
        try
        {
            return LabelSelector.FromModel(selector);
        }
        catch (FormatException)
        {
            return LabelSelector.Nothing;
        }
    }
}
