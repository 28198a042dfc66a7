using k8s.Models;
using Podhost.Control.Scheduler.Filters;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Preemption;

/// <summary>What PodDisruptionBudgets still allow. Immutable.</summary>
/// <param name="budgets">All budgets.</param>
internal sealed class DisruptionBudgets(IReadOnlyList<V1PodDisruptionBudget> budgets)
{
    /// <summary>No budget at all.</summary>
    public static DisruptionBudgets None { get; } = new([]);

    /// <summary>Those of the pods whose leaving, in this order, would take a budget below nothing.</summary>
    public IReadOnlySet<PodView> Violating(IReadOnlyList<PodView> pods)
    {
        var allowed = budgets.Select(b => b.Status?.DisruptionsAllowed ?? 0).ToArray();
        var violating = new HashSet<PodView>();
        foreach (var pod in pods)
        {
            for (var i = 0; i < allowed.Length; i++)
            {
                // A budget that counts the pod as disrupted already loses nothing more.
                if (Means(budgets[i], pod) && budgets[i].Status?.DisruptedPods?.ContainsKey(pod.Pod.Metadata.Name) != true && --allowed[i] < 0)
                {
                    violating.Add(pod);
                }
            }
        }

        return violating;
    }

    // As upstream: a budget with an empty selector, and a pod without labels, have nothing to do with each other here.
    private static bool Means(V1PodDisruptionBudget budget, PodView pod) =>
        budget.Metadata.NamespaceProperty == pod.Namespace
        && pod.Labels.Count > 0
        && budget.Spec?.Selector is { } selector
        && (selector.MatchLabels?.Count > 0 || selector.MatchExpressions?.Count > 0)
        && LabelSelectors.Matches(selector, pod.Labels);
}
