using Podhost.Control.Objects;
using k8s.Models;
using Podhost.Control.Controllers.Deployments;
using Podhost.Control.Controllers.Workloads;

namespace Podhost.Control.Controllers.Disruption;

/// <summary>What a budget counts on.</summary>
/// <param name="Pods">Pods that there should be.</param>
/// <param name="Healthy">Pods that must stay healthy.</param>
/// <param name="HasUnmanaged">True where pods without a controller were left out of the first number.</param>
/// <param name="Fault">Why the numbers are not known; null where they are.</param>
internal sealed record ExpectedPods(int Pods, int Healthy, bool HasUnmanaged = false, string? Fault = null);

/// <summary>What is told of a budget next.</summary>
/// <param name="Status">The new status.</param>
/// <param name="NotDeleted">Pods whose eviction was let through and that are still there.</param>
/// <param name="RecheckAfter">The time after which the next eviction counts as failed; null for none.</param>
internal sealed record DisruptionPlan(V1PodDisruptionBudgetStatus Status, IReadOnlyList<V1Pod> NotDeleted, TimeSpan? RecheckAfter);

/// <summary>Pure decisions about a PodDisruptionBudget. Source: upstream's disruption controller.</summary>
internal static class DisruptionDecider
{
    /// <summary>How long a pod whose eviction was let through may still be there.</summary>
    public static readonly TimeSpan DeletionTimeout = TimeSpan.FromMinutes(2);

    /// <summary>How many pods there should be and how many of them must be healthy.</summary>
    /// <param name="budget">The budget.</param>
    /// <param name="pods">The pods that it selects.</param>
    /// <param name="scaleOf">The scale of a pod's controller.</param>
    public static ExpectedPods Expect(V1PodDisruptionBudget budget, IReadOnlyList<V1Pod> pods, Func<V1Pod, ControllerScale?> scaleOf)
    {
        if (budget.Spec.MaxUnavailable?.Value is { } most)
        {
            var expected = Scale(pods, scaleOf);
            return expected with { Healthy = Math.Max(0, expected.Pods - RolloutNumbers.Resolve(most, expected.Pods, up: true)) };
        }

        if (budget.Spec.MinAvailable?.Value is not { } least)
        {
            return new ExpectedPods(0, 0);
        }

        if (!least.EndsWith('%'))
        {
            return new ExpectedPods(pods.Count, RolloutNumbers.Resolve(least, pods.Count, up: true));
        }

        var scale = Scale(pods, scaleOf);
        return scale with { Healthy = RolloutNumbers.Resolve(least, scale.Pods, up: true) };
    }

    /// <summary>The status that the pods make.</summary>
    public static DisruptionPlan Decide(V1PodDisruptionBudget budget, IReadOnlyList<V1Pod> pods, ExpectedPods expected, DateTimeOffset now)
    {
        var disrupted = new Dictionary<string, DateTime?>(StringComparer.Ordinal);
        var late = new List<V1Pod>();
        TimeSpan? recheck = null;
        foreach (var pod in pods.Where(p => p.Metadata.DeletionTimestamp is null))
        {
            if (budget.Status?.DisruptedPods?.TryGetValue(pod.Metadata.Name, out var written) != true || written is not { } since)
            {
                continue;
            }

            var left = since.ToUniversalTime() + DeletionTimeout - now.UtcDateTime;
            if (left <= TimeSpan.Zero)
            {
                late.Add(pod);
                continue;
            }

            disrupted[pod.Metadata.Name] = since;
            recheck = recheck is null || left < recheck ? left : recheck;
        }

        var healthy = pods.Count(p => p.Metadata.DeletionTimestamp is null && !disrupted.ContainsKey(p.Metadata.Name) && PodStates.IsReady(p));
        var allowed = expected.Pods <= 0 ? 0 : Math.Max(0, healthy - expected.Healthy);
        return new DisruptionPlan(StatusOf(budget, expected, healthy, allowed, disrupted, now), late, recheck);
    }

    /// <summary>The status where the numbers are not known: nothing may be evicted.</summary>
    public static V1PodDisruptionBudgetStatus Failed(V1PodDisruptionBudget budget, string fault, DateTimeOffset now)
    {
        var old = budget.Status;
        return new V1PodDisruptionBudgetStatus
        {
            ObservedGeneration = old?.ObservedGeneration,
            DisruptedPods = old?.DisruptedPods,
            CurrentHealthy = old?.CurrentHealthy ?? 0,
            DesiredHealthy = old?.DesiredHealthy ?? 0,
            ExpectedPods = old?.ExpectedPods ?? 0,
            DisruptionsAllowed = 0,
            Conditions = Conditions(budget, "False", "SyncFailed", fault, now),
        };
    }

    private static ExpectedPods Scale(IReadOnlyList<V1Pod> pods, Func<V1Pod, ControllerScale?> scaleOf)
    {
        var byController = new Dictionary<string, int>(StringComparer.Ordinal);
        var unmanaged = false;
        foreach (var pod in pods)
        {
            if (scaleOf(pod) is not { } scale)
            {
                unmanaged = true;
            }
            else if (scale.Fault is { } fault)
            {
                return new ExpectedPods(0, 0, unmanaged, fault);
            }
            else
            {
                byController[scale.Uid] = scale.Replicas;
            }
        }

        return new ExpectedPods(byController.Values.Sum(), 0, unmanaged);
    }

    private static V1PodDisruptionBudgetStatus StatusOf(
        V1PodDisruptionBudget budget, ExpectedPods expected, int healthy, int allowed, Dictionary<string, DateTime?> disrupted, DateTimeOffset now) => new()
        {
            ObservedGeneration = budget.Metadata.Generation,
            DisruptedPods = disrupted.Count == 0 ? null : disrupted,
            CurrentHealthy = healthy,
            DesiredHealthy = expected.Healthy,
            ExpectedPods = expected.Pods,
            DisruptionsAllowed = allowed,
            Conditions = Conditions(budget, allowed > 0 ? "True" : "False", allowed > 0 ? "SufficientPods" : "InsufficientPods", "", now),
        };

    private static List<V1Condition> Conditions(V1PodDisruptionBudget budget, string status, string reason, string message, DateTimeOffset now)
    {
        var others = budget.Status?.Conditions?.Where(c => c.Type != "DisruptionAllowed") ?? [];
        var old = budget.Status?.Conditions?.FirstOrDefault(c => c.Type == "DisruptionAllowed");
        var condition = new V1Condition
        {
            Type = "DisruptionAllowed",
            Status = status,
            Reason = reason,
            Message = message,
            ObservedGeneration = budget.Metadata.Generation,
            LastTransitionTime = old?.Status == status ? old.LastTransitionTime : now.UtcDateTime,
        };
        return [.. others, condition];
    }
}
