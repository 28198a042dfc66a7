using Podhost.Control.Objects;
using k8s.Models;
using Podhost.Control.Controllers.Workloads;

namespace Podhost.Control.Controllers.Jobs;

/// <summary>How a Job ends.</summary>
/// <param name="Target">FailureTarget or SuccessCriteriaMet.</param>
/// <param name="Reason">Reason of the condition.</param>
/// <param name="Message">Message of the condition.</param>
internal sealed record JobVerdict(string Target, string Reason, string Message);

/// <summary>The status and the conditions of a Job. Pure.</summary>
internal static class JobConditions
{
    /// <summary>The status with its counts; suspension and resumption are noted.</summary>
    public static V1JobStatus Begin(V1Job job, JobAccounts accounts, IReadOnlyList<V1Pod> active, int terminating, DateTimeOffset now)
    {
        var status = new V1JobStatus
        {
            Active = Some(active.Count),
            Ready = active.Count(PodStates.IsReady),
            Terminating = terminating,
            Succeeded = Some(accounts.Succeeded),
            Failed = Some(accounts.Failed),
            FailedIndexes = accounts.FailedIndexes is { } failed ? IndexSet.Print(failed) ?? "" : null,
            CompletedIndexes = JobNames.IsIndexed(job) ? IndexSet.Print(accounts.Indexes) : null,
            StartTime = job.Status?.StartTime,
            CompletionTime = job.Status?.CompletionTime,
            Conditions = [.. job.Status?.Conditions ?? []],
            UncountedTerminatedPods = Uncounted(accounts),
        };
        if (!JobNames.IsFinished(job))
        {
            Suspend(job, status, now);
        }

        status.Conditions = status.Conditions.Count > 0 ? status.Conditions : null;
        return status;
    }

    /// <summary>The ends that are noted and not yet numbers.</summary>
    public static V1UncountedTerminatedPods Uncounted(JobAccounts accounts) => new()
    {
        Succeeded = accounts.UncountedSucceeded.Count > 0 ? accounts.UncountedSucceeded : null,
        Failed = accounts.UncountedFailed.Count > 0 ? accounts.UncountedFailed : null,
    };

    /// <summary>How the job ends, or null where it goes on.</summary>
    public static JobVerdict? Verdict(V1Job job, V1JobStatus status, JobAccounts accounts, IReadOnlyList<V1Pod> active, IReadOnlyList<V1Pod> pods, DateTimeOffset now)
    {
        // A verdict stands.
        if (job.Status?.Conditions?.FirstOrDefault(c => c.Type is "FailureTarget" or "SuccessCriteriaMet" && c.Status == "True") is { } before)
        {
            return new JobVerdict(before.Type, before.Reason, before.Message);
        }

        if (accounts.FailJob is { } rule)
        {
            return new JobVerdict("FailureTarget", "PodFailurePolicy", rule);
        }

        if (accounts.AllFailed > (job.Spec.BackoffLimit ?? 6) || IsPastLimit(job, pods))
        {
            return new JobVerdict("FailureTarget", "BackoffLimitExceeded", "Job has reached the specified backoff limit");
        }

        if (job.Spec.Suspend != true && UntilDeadline(job, status, now) is { } left && left <= TimeSpan.Zero)
        {
            return new JobVerdict("FailureTarget", "DeadlineExceeded", "Job was active longer than specified deadline");
        }

        if (OfFailedIndexes(job, accounts) is { } failed)
        {
            return failed;
        }

        if (JobNames.IsIndexed(job) && SuccessPolicy.Match(job, accounts.Indexes) is { } met)
        {
            return new JobVerdict("SuccessCriteriaMet", "SuccessPolicy", met);
        }

        var complete = job.Spec.Completions is { } completions ? accounts.AllSucceeded >= completions : accounts.AllSucceeded > 0 && active.Count == 0;
        return complete ? new JobVerdict("SuccessCriteriaMet", "CompletionsReached", "Reached expected number of succeeded pods") : null;
    }

    private static JobVerdict? OfFailedIndexes(V1Job job, JobAccounts accounts)
    {
        if (accounts.FailedIndexes is not { Count: > 0 } failed)
        {
            return null;
        }

        return failed.Count > job.Spec.MaxFailedIndexes
            ? new JobVerdict("FailureTarget", "MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes")
            : failed.Count + accounts.Indexes.Count >= job.Spec.Completions ? new JobVerdict("FailureTarget", "FailedIndexes", "Job has failed indexes") : null;
    }

    /// <summary>Notes the verdict and, where no pod is alive and every end is counted, that the job is over.</summary>
    public static void End(V1Job job, V1JobStatus status, JobVerdict verdict, int alive, DateTimeOffset now)
    {
        Set(status, verdict.Target, verdict.Reason, verdict.Message, now);
        if (alive > 0 || status.UncountedTerminatedPods is { Succeeded: not null } or { Failed: not null })
        {
            return;
        }

        var succeeded = verdict.Target == "SuccessCriteriaMet";
        Set(status, succeeded ? "Complete" : "Failed", verdict.Reason, verdict.Message, now);
        if (succeeded)
        {
            status.CompletionTime = now.UtcDateTime;
        }
    }

    /// <summary>The time until activeDeadlineSeconds; null for no deadline.</summary>
    public static TimeSpan? UntilDeadline(V1Job job, V1JobStatus status, DateTimeOffset now) =>
        job.Spec.ActiveDeadlineSeconds is { } seconds && status.StartTime is { } start ? start.ToUniversalTime() + TimeSpan.FromSeconds(seconds) - now.UtcDateTime : null;

    private static void Suspend(V1Job job, V1JobStatus status, DateTimeOffset now)
    {
        var before = status.Conditions.FirstOrDefault(c => c.Type == "Suspended");
        if (job.Spec.Suspend == true)
        {
            status.StartTime = null;
            if (before?.Status != "True")
            {
                Set(status, "Suspended", "JobSuspended", "Job suspended", now);
            }

            return;
        }

        if (before?.Status == "True")
        {
            Set(status, "Suspended", "JobResumed", "Job resumed", now, "False");
        }

        status.StartTime ??= now.UtcDateTime;
    }

    // Pods that restart their containers themselves are failures without an end.
    private static bool IsPastLimit(V1Job job, IReadOnlyList<V1Pod> pods)
    {
        if (job.Spec.Template.Spec.RestartPolicy != "OnFailure")
        {
            return false;
        }

        var restarts = pods.Where(p => p.Status?.Phase is "Running" or "Pending")
            .Sum(p => (p.Status.InitContainerStatuses ?? []).Concat(p.Status.ContainerStatuses ?? []).Sum(c => c.RestartCount));
        var limit = job.Spec.BackoffLimit ?? 6;
        return limit == 0 ? restarts > 0 : restarts >= limit;
    }

    private static void Set(V1JobStatus status, string type, string reason, string message, DateTimeOffset now, string value = "True")
    {
        if (status.Conditions?.FirstOrDefault(c => c.Type == type) is { } same && same.Status == value)
        {
            return;
        }

        status.Conditions =
        [
            .. (status.Conditions ?? []).Where(c => c.Type != type),
            new V1JobCondition { Type = type, Status = value, Reason = reason, Message = message, LastProbeTime = now.UtcDateTime, LastTransitionTime = now.UtcDateTime },
        ];
    }

    private static int? Some(int count) => count == 0 ? null : count;
}
