using k8s.Models;

namespace Podhost.Control.Controllers.Deployments;

/// <summary>The status of a Deployment. Pure. Source: upstream's calculateStatus and progress.go.</summary>
internal static class RolloutStatus
{
    private const string Available = "Available";
    private const string Progressing = "Progressing";
    private const string ReplicaFailure = "ReplicaFailure";

    /// <summary>The status that the sets make.</summary>
    /// <param name="deployment">The Deployment with the status that it has.</param>
    /// <param name="sets">Its ReplicaSets.</param>
    /// <param name="current">The one of its template, or null.</param>
    /// <param name="isNew">True where that set was made right now.</param>
    /// <param name="now">The time.</param>
    public static V1DeploymentStatus Of(V1Deployment deployment, IReadOnlyList<V1ReplicaSet> sets, V1ReplicaSet? current, bool isNew, DateTimeOffset now)
    {
        var available = sets.Sum(s => s.Status?.AvailableReplicas ?? 0);
        var status = new V1DeploymentStatus
        {
            ObservedGeneration = deployment.Metadata.Generation,
            Replicas = sets.Sum(s => s.Status?.Replicas ?? 0),
            UpdatedReplicas = current?.Status?.Replicas ?? 0,
            ReadyReplicas = sets.Sum(s => s.Status?.ReadyReplicas ?? 0),
            AvailableReplicas = available,
            UnavailableReplicas = Math.Max(0, sets.Sum(s => s.Spec.Replicas ?? 1) - available),
            TerminatingReplicas = sets.All(s => s.Status?.TerminatingReplicas is not null) ? sets.Sum(s => s.Status.TerminatingReplicas) : null,
            CollisionCount = deployment.Status?.CollisionCount,
            Conditions = [.. deployment.Status?.Conditions ?? []],
        };
        Set(status, AvailabilityOf(deployment, available, now), now);
        SetProgress(deployment, status, current, isNew, now);
        var failure = sets.SelectMany(s => s.Status?.Conditions ?? []).FirstOrDefault(c => c.Type == ReplicaFailure && c.Status == "True");
        status.Conditions = [.. status.Conditions.Where(c => c.Type != ReplicaFailure)];
        if (failure is not null)
        {
            status.Conditions.Add(Condition(ReplicaFailure, "True", failure.Reason, failure.Message, now));
        }

        return status;
    }

    /// <summary>True where every pod is of the current template, and available.</summary>
    public static bool IsComplete(V1Deployment deployment, V1DeploymentStatus status)
    {
        var wanted = deployment.Spec.Replicas ?? 1;
        return status.UpdatedReplicas == wanted && status.Replicas == wanted && status.AvailableReplicas == wanted;
    }

    /// <summary>When the rollout will count as stuck unless it moves; null where it cannot.</summary>
    public static TimeSpan? Deadline(V1Deployment deployment, V1DeploymentStatus status, DateTimeOffset now)
    {
        if (deployment.Spec.ProgressDeadlineSeconds is not { } seconds || seconds == int.MaxValue || deployment.Spec.Paused == true || IsComplete(deployment, status)
            || Find(status, Progressing) is not { Status: "True", LastUpdateTime: { } since } || seconds <= 0)
        {
            return null;
        }

        var left = since.ToUniversalTime() + TimeSpan.FromSeconds(seconds) - now.UtcDateTime;
        return left > TimeSpan.Zero ? left + TimeSpan.FromSeconds(1) : TimeSpan.FromSeconds(1);
    }

    private static V1DeploymentCondition AvailabilityOf(V1Deployment deployment, int available, DateTimeOffset now) =>
        available >= RolloutNumbers.Of(deployment).MinAvailable
            ? Condition(Available, "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", now)
            : Condition(Available, "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.", now);

    private static void SetProgress(V1Deployment deployment, V1DeploymentStatus status, V1ReplicaSet? current, bool isNew, DateTimeOffset now)
    {
        if (deployment.Spec.ProgressDeadlineSeconds is null or int.MaxValue)
        {
            // Nobody asks for progress: what was said of it before is no news any more.
            status.Conditions = [.. status.Conditions.Where(c => c.Type != Progressing)];
            return;
        }

        var before = Find(status, Progressing);
        if (deployment.Spec.Paused == true)
        {
            if (before?.Reason is not ("DeploymentPaused" or "ProgressDeadlineExceeded"))
            {
                Set(status, Condition(Progressing, "Unknown", "DeploymentPaused", "Deployment is paused", now), now);
            }

            return;
        }

        if (before?.Reason == "DeploymentPaused")
        {
            before = Condition(Progressing, "Unknown", "DeploymentResumed", "Deployment is resumed", now);
            Set(status, before, now);
        }

        if (before?.Reason == "NewReplicaSetAvailable" && !isNew && status.Replicas == status.UpdatedReplicas)
        {
            // The rollout is over: pods that come and go or a new size are no progress of it.
            return;
        }

        var name = current is null ? $"Deployment \"{deployment.Metadata.Name}\"" : $"ReplicaSet \"{current.Metadata.Name}\"";
        if (isNew)
        {
            Set(status, Condition(Progressing, "True", "NewReplicaSetCreated", $"Created new replica set \"{current!.Metadata.Name}\"", now), now, renew: true);
        }
        else if (IsComplete(deployment, status) && current is not null)
        {
            Set(status, Condition(Progressing, "True", "NewReplicaSetAvailable", $"{name} has successfully progressed.", now), now);
        }
        else if (Moved(deployment.Status, status))
        {
            Set(status, Condition(Progressing, "True", "ReplicaSetUpdated", $"{name} is progressing.", now), now, renew: true);
        }
        else if (before is null && current is not null)
        {
            Set(status, Condition(Progressing, "True", "FoundNewReplicaSet", $"Found new replica set \"{current.Metadata.Name}\"", now), now);
        }
        else if (IsStuck(deployment, before, now))
        {
            Set(status, Condition(Progressing, "False", "ProgressDeadlineExceeded", $"{name} has timed out progressing.", now), now);
        }
    }

    private static bool Moved(V1DeploymentStatus? before, V1DeploymentStatus now) => before is not null
        && (now.UpdatedReplicas > (before.UpdatedReplicas ?? 0)
            || now.Replicas - now.UpdatedReplicas < (before.Replicas ?? 0) - (before.UpdatedReplicas ?? 0)
            || now.ReadyReplicas > (before.ReadyReplicas ?? 0)
            || now.AvailableReplicas > (before.AvailableReplicas ?? 0));

    private static bool IsStuck(V1Deployment deployment, V1DeploymentCondition? progress, DateTimeOffset now) =>
        progress is { LastUpdateTime: { } since } && progress.Reason != "NewReplicaSetAvailable"
        && now.UtcDateTime > since.ToUniversalTime() + TimeSpan.FromSeconds(deployment.Spec.ProgressDeadlineSeconds ?? 600);

    private static V1DeploymentCondition? Find(V1DeploymentStatus status, string type) => status.Conditions.FirstOrDefault(c => c.Type == type);

    // A condition that says the same stays as it is; one whose status stays keeps the time of its last change.
    private static void Set(V1DeploymentStatus status, V1DeploymentCondition condition, DateTimeOffset now, bool renew = false)
    {
        var before = Find(status, condition.Type);
        if (!renew && before?.Status == condition.Status && before.Reason == condition.Reason)
        {
            return;
        }

        if (before?.Status == condition.Status)
        {
            condition.LastTransitionTime = before.LastTransitionTime;
        }

        status.Conditions = [.. status.Conditions.Where(c => c.Type != condition.Type), condition];
    }

    private static V1DeploymentCondition Condition(string type, string status, string reason, string message, DateTimeOffset now) => new()
    {
        Type = type, Status = status, Reason = reason, Message = message, LastUpdateTime = now.UtcDateTime, LastTransitionTime = now.UtcDateTime,
    };
}
