using Podhost.Control.Objects;
using k8s.Models;
using Podhost.Control.Controllers.Workloads;

namespace Podhost.Control.Controllers.ReplicaSets;

/// <summary>What a ReplicaSet needs next.</summary>
/// <param name="Create">How many pods to make.</param>
/// <param name="Delete">Pods to delete.</param>
/// <param name="WakeAfter">The time after which a pod becomes available, and the status changes with nobody telling; null for none.</param>
internal sealed record ReplicaPlan(int Create, IReadOnlyList<V1Pod> Delete, TimeSpan? WakeAfter);

/// <summary>What the server refused, as the condition ReplicaFailure tells it.</summary>
/// <param name="Reason">FailedCreate or FailedDelete.</param>
/// <param name="Message">The server's word.</param>
internal sealed record Refusal(string Reason, string Message);

/// <summary>Pure decisions about a ReplicaSet. Source: upstream's replicaset controller and its ActivePodsWithRanks.</summary>
internal static class ReplicaSetDecider
{
    /// <summary>The most pods that one look at a set makes or deletes.</summary>
    public const int Burst = 500;

    private const string ReplicaFailure = "ReplicaFailure";
    private const string DeletionCost = "controller.kubernetes.io/pod-deletion-cost";

    /// <summary>How many pods are missing, or which are too many.</summary>
    /// <param name="set">The set.</param>
    /// <param name="pods">Its pods.</param>
    /// <param name="onNode">How many active pods of the set's owner run on each node: the more, the sooner one of them goes.</param>
    /// <param name="now">The time.</param>
    public static ReplicaPlan Decide(V1ReplicaSet set, IReadOnlyList<V1Pod> pods, Func<V1Pod, int> onNode, DateTimeOffset now)
    {
        var active = pods.Where(PodStates.IsActive).ToList();
        var wanted = set.Spec.Replicas ?? 1;
        var wake = PodStates.UntilNextAvailable(active, set.Spec.MinReadySeconds ?? 0, now);
        if (set.Metadata.DeletionTimestamp is not null || active.Count == wanted)
        {
            return new ReplicaPlan(0, [], wake);
        }

        return active.Count < wanted
            ? new ReplicaPlan(Math.Min(wanted - active.Count, Burst), [], wake)
            : new ReplicaPlan(0, [.. Ranked(active, onNode, now).Take(Math.Min(active.Count - wanted, Burst))], wake);
    }

    /// <summary>The status that the pods make; conditions of others stay.</summary>
    /// <param name="set">The set.</param>
    /// <param name="pods">Its pods.</param>
    /// <param name="refusal">What the server refused to make or to delete; null for nothing.</param>
    /// <param name="now">The time.</param>
    public static V1ReplicaSetStatus StatusOf(V1ReplicaSet set, IReadOnlyList<V1Pod> pods, Refusal? refusal, DateTimeOffset now)
    {
        List<V1ReplicaSetCondition> conditions = [.. (set.Status?.Conditions ?? []).Where(c => c.Type != ReplicaFailure)];
        if (refusal is not null)
        {
            conditions.Add(Failure(set, refusal, now));
        }

        var active = pods.Where(PodStates.IsActive).ToList();
        var template = set.Spec.Template?.Metadata?.Labels ?? new Dictionary<string, string>();
        return new V1ReplicaSetStatus
        {
            Replicas = active.Count,
            FullyLabeledReplicas = active.Count(p => template.All(l => p.Metadata.Labels?.TryGetValue(l.Key, out var v) == true && v == l.Value)),
            ReadyReplicas = active.Count(PodStates.IsReady),
            AvailableReplicas = active.Count(p => PodStates.IsAvailable(p, set.Spec.MinReadySeconds ?? 0, now, out _)),
            ObservedGeneration = set.Metadata.Generation ?? 0,
            TerminatingReplicas = pods.Count(p => p.Metadata.DeletionTimestamp is not null && !PodStates.IsFinished(p)),
            Conditions = conditions.Count == 0 ? null : conditions,
        };
    }

    /// <summary>Pods in the order in which they are given up: those that are worth least go first.</summary>
    /// <param name="pods">Active pods.</param>
    /// <param name="onNode">As in <see cref="Decide"/>.</param>
    /// <param name="now">The time.</param>
    public static IEnumerable<V1Pod> Ranked(IEnumerable<V1Pod> pods, Func<V1Pod, int> onNode, DateTimeOffset now) => pods
        .OrderBy(p => string.IsNullOrEmpty(p.Spec.NodeName) ? 0 : 1)
        .ThenBy(p => p.Status?.Phase switch { "Pending" => 0, "Running" => 2, _ => 1 })
        .ThenBy(p => PodStates.IsReady(p) ? 1 : 0)
        .ThenBy(Cost)
        .ThenByDescending(onNode)
        .ThenBy(p => PodStates.ReadySince(p) is { } since ? LogAge(now.UtcDateTime - since.ToUniversalTime()) : 0)
        .ThenByDescending(Restarts)
        .ThenBy(p => p.Metadata.CreationTimestamp is { } created ? LogAge(now.UtcDateTime - created.ToUniversalTime()) : 0)
        .ThenBy(p => p.Metadata.Uid, StringComparer.Ordinal);

    // Ages count by their order of magnitude, as upstream has it: chance decides among pods of about one age.
    private static int LogAge(TimeSpan age) => age <= TimeSpan.Zero ? 0 : (int)Math.Log2(1 + age.TotalSeconds);

    private static int Cost(V1Pod pod) => pod.Metadata.Annotations?.TryGetValue(DeletionCost, out var text) == true
        && int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var cost) ? cost : 0;

    private static int Restarts(V1Pod pod) => pod.Status?.ContainerStatuses?.Select(c => c.RestartCount).DefaultIfEmpty().Max() ?? 0;

    private static V1ReplicaSetCondition Failure(V1ReplicaSet set, Refusal refusal, DateTimeOffset now) =>
        set.Status?.Conditions?.FirstOrDefault(c => c.Type == ReplicaFailure && c.Status == "True") ?? new V1ReplicaSetCondition
        {
            Type = ReplicaFailure, Status = "True", Reason = refusal.Reason, Message = refusal.Message, LastTransitionTime = now.UtcDateTime,
        };
}
