using Podhost.Control.Objects;
using k8s.Models;
using Podhost.Control.Controllers.ReplicaSets;
using Podhost.Control.Controllers.Workloads;

namespace Podhost.Control.Controllers.Jobs;

/// <summary>What a Job needs next.</summary>
/// <param name="Status">Its status, to be written first.</param>
/// <param name="Settled">Pods whose tracking finalizer may go after that.</param>
/// <param name="Create">Indexes of pods to make; -1 where the job has none.</param>
/// <param name="Delete">Pods to delete.</param>
/// <param name="WakeAfter">The time after which to look again with nobody telling.</param>
internal sealed record JobPlan(V1JobStatus Status, IReadOnlyList<V1Pod> Settled, IReadOnlyList<int> Create, IReadOnlyList<V1Pod> Delete, TimeSpan? WakeAfter)
{
    /// <summary>The failed pods that those to be made come after, by index, where the job limits single indexes.</summary>
    public IReadOnlyDictionary<int, V1Pod> Replaced { get; init; } = new Dictionary<int, V1Pod>();
}

/// <summary>Pure decisions about a Job. Source: upstream's job controller, syncJob and manageJob.</summary>
internal static class JobDecider
{
    private const int Burst = 500;
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan MaxBackoff = TimeSpan.FromMinutes(10);

    /// <summary>The next step.</summary>
    /// <param name="job">The job.</param>
    /// <param name="pods">Its pods.</param>
    /// <param name="now">The time.</param>
    public static JobPlan Decide(V1Job job, IReadOnlyList<V1Pod> pods, DateTimeOffset now)
    {
        var accounts = JobAccounts.Of(job, pods);
        var active = pods.Where(PodStates.IsActive).ToList();
        var terminating = pods.Count(p => p.Metadata.DeletionTimestamp is not null && !PodStates.IsFinished(p));
        var status = JobConditions.Begin(job, accounts, active, terminating, now);
        if (JobNames.IsFinished(job))
        {
            return new JobPlan(status, accounts.Settled, [], active, null);
        }

        if (JobConditions.Verdict(job, status, accounts, active, pods, now) is { } verdict)
        {
            accounts.CountAwaiting(job);
            status.UncountedTerminatedPods = JobConditions.Uncounted(accounts);
            JobConditions.End(job, status, verdict, active.Count + terminating, now);
            return new JobPlan(status, accounts.Settled, [], active, null);
        }

        if (job.Spec.Suspend == true)
        {
            return new JobPlan(status, accounts.Settled, [], active, null);
        }

        return Manage(job, pods, accounts, active, terminating, status, now);
    }

    private static JobPlan Manage(
        V1Job job, IReadOnlyList<V1Pod> pods, JobAccounts accounts, List<V1Pod> active, int terminating, V1JobStatus status, DateTimeOffset now)
    {
        var wanted = Wanted(job, accounts, active.Count);
        var wake = JobConditions.UntilDeadline(job, status, now);
        if (Surplus(job, active, active.Count - wanted, now) is { Count: > 0 } surplus)
        {
            return new JobPlan(status, accounts.Settled, [], surplus, wake);
        }

        var missing = Math.Min(wanted - active.Count - (job.Spec.PodReplacementPolicy == "Failed" ? terminating : 0), Burst);
        if (missing <= 0)
        {
            return new JobPlan(status, accounts.Settled, [], [], wake);
        }

        if (IndexFailures.AreLimited(job))
        {
            return ByIndex(Pending(job, accounts, pods, active, missing), accounts, status, wake, now);
        }

        if (Backoff(job, pods, now) is { } left)
        {
            return new JobPlan(status, accounts.Settled, [], [], Sooner(wake, left));
        }

        return new JobPlan(status, accounts.Settled, JobNames.IsIndexed(job) ? Pending(job, accounts, pods, active, missing) : [.. Enumerable.Repeat(-1, missing)], [], wake);
    }

    // Each index waits for itself.
    private static JobPlan ByIndex(List<int> pending, JobAccounts accounts, V1JobStatus status, TimeSpan? wake, DateTimeOffset now)
    {
        var create = new List<int>();
        foreach (var index in pending)
        {
            if (accounts.Awaiting.TryGetValue(index, out var last) && Left(IndexFailures.All(last) + 1, EndOf(last, now), now) is { } left)
            {
                wake = Sooner(wake, left);
            }
            else
            {
                create.Add(index);
            }
        }

        return new JobPlan(status, accounts.Settled, create, [], wake) { Replaced = accounts.Awaiting };
    }

    private static int Wanted(V1Job job, JobAccounts accounts, int active)
    {
        var parallelism = job.Spec.Parallelism ?? 1;

        // A work queue that has seen a success makes no more pods: those that run find out by themselves.
        return job.Spec.Completions is { } completions ? Math.Min(parallelism, completions - accounts.AllSucceeded)
            : accounts.AllSucceeded > 0 ? Math.Min(active, parallelism)
            : parallelism;
    }

    /// <summary>The first indexes without a pod that are neither done nor failed for good.</summary>
    private static List<int> Pending(V1Job job, JobAccounts accounts, IReadOnlyList<V1Pod> pods, List<V1Pod> active, int missing)
    {
        var taken = active.Select(JobNames.IndexOf).ToHashSet();
        if (job.Spec.PodReplacementPolicy == "Failed")
        {
            taken.UnionWith(pods.Where(p => p.Metadata.DeletionTimestamp is not null && !PodStates.IsFinished(p)).Select(JobNames.IndexOf));
        }

        return [.. Enumerable.Range(0, job.Spec.Completions ?? 0).Where(i => !taken.Contains(i) && !accounts.Indexes.Contains(i) && accounts.FailedIndexes?.Contains(i) != true).Take(missing)];
    }

    /// <summary>The pods that are too many: of an index that the job no longer has, second ones of an index, and so many others that the number is right.</summary>
    private static List<V1Pod> Surplus(V1Job job, List<V1Pod> active, int least, DateTimeOffset now)
    {
        var ranked = ReplicaSetDecider.Ranked(active, _ => 0, now).ToList();
        var gone = new List<V1Pod>();
        if (JobNames.IsIndexed(job))
        {
            var last = ranked.Where(p => JobNames.IndexOf(p) is var i && i >= 0 && i < (job.Spec.Completions ?? 0)).ToLookup(JobNames.IndexOf).Select(g => g.Last()).ToHashSet();
            gone.AddRange(ranked.Where(p => !last.Contains(p)));
        }

        return [.. gone, .. ranked.Except(gone).Take(Math.Max(0, least - gone.Count))];
    }

    /// <summary>How long to wait before the next pod: failures in a row double it.</summary>
    private static TimeSpan? Backoff(V1Job job, IReadOnlyList<V1Pod> pods, DateTimeOffset now)
    {
        var ends = pods.Where(p => PodStates.IsFinished(p) || JobAccounts.IsFailed(job, p))
            .Select(p => (At: EndOf(p, now), Failed: p.Status?.Phase != "Succeeded")).OrderByDescending(e => e.At).ToList();
        var failures = ends.TakeWhile(e => e.Failed).Count();
        return failures == 0 ? null : Left(failures, ends[0].At, now);
    }

    // What is left of the back-off after so many failures; null where it is over.
    private static TimeSpan? Left(int failures, DateTimeOffset end, DateTimeOffset now)
    {
        var delay = TimeSpan.FromTicks(Math.Min(MaxBackoff.Ticks, FirstBackoff.Ticks << Math.Min(failures - 1, 10)));
        var left = end + delay - now;
        return left > TimeSpan.Zero ? left : null;
    }

    private static DateTimeOffset EndOf(V1Pod pod, DateTimeOffset now) => JobPods.EndOf(pod) is { } at ? new DateTimeOffset(at.ToUniversalTime()) : now;

    private static TimeSpan? Sooner(TimeSpan? left, TimeSpan right) => left < right ? left : right;
}
