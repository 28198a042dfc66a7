using k8s.Models;
using Podhost.Control.Objects;

namespace Podhost.Control.Controllers.Jobs;

/// <summary>
/// Which ends of pods are counted. A finished pod keeps a finalizer until its end is in the status: first its UID goes into
/// uncountedTerminatedPods, then the finalizer is taken away, then the UID becomes a number. So no end is lost and none counts twice,
/// whatever dies in between. Pure. Source: upstream's trackJobStatusAndRemoveFinalizers.
/// </summary>
internal sealed class JobAccounts
{
    // Upstream's bound for one write of the status.
    private const int MaxUncounted = 500;

    private JobAccounts()
    {
    }

    public int Succeeded { get; private set; }

    public int Failed { get; private set; }

    public SortedSet<int> Indexes { get; private set; } = [];

    /// <summary>Indexes that failed for good; null where the job does not limit single indexes.</summary>
    public SortedSet<int>? FailedIndexes { get; private set; }

    /// <summary>Failed pods that are not counted before the next pod of their index is there.</summary>
    public IReadOnlyDictionary<int, V1Pod> Awaiting { get; private set; } = new Dictionary<int, V1Pod>();

    public List<string> UncountedSucceeded { get; } = [];

    public List<string> UncountedFailed { get; } = [];

    /// <summary>Pods whose finalizer may go once the status is written.</summary>
    public List<V1Pod> Settled { get; } = [];

    /// <summary>The message of a rule of the podFailurePolicy that fails the job; null for none.</summary>
    public string? FailJob { get; private set; }

    public int AllSucceeded => Succeeded + UncountedSucceeded.Count;

    public int AllFailed => Failed + UncountedFailed.Count;

    public static JobAccounts Of(V1Job job, IReadOnlyList<V1Pod> pods)
    {
        var accounts = new JobAccounts { Failed = job.Status?.Failed ?? 0, Indexes = Known(job, job.Status?.CompletedIndexes) };
        accounts.Succeeded = JobNames.IsIndexed(job) ? accounts.Indexes.Count : job.Status?.Succeeded ?? 0;
        var tracked = pods.Where(JobNames.IsTracked).ToDictionary(p => p.Metadata.Uid);
        accounts.Succeeded += accounts.Carry(job.Status?.UncountedTerminatedPods?.Succeeded, tracked, accounts.UncountedSucceeded);
        accounts.Failed += accounts.Carry(job.Status?.UncountedTerminatedPods?.Failed, tracked, accounts.UncountedFailed);
        accounts.LimitIndexes(job, pods);
        foreach (var pod in tracked.Values.Except(accounts.Awaiting.Values).OrderBy(p => p.Metadata.CreationTimestamp))
        {
            accounts.Count(job, pod);
        }

        return accounts;
    }

    /// <summary>The job is over: no failed pod waits for another one any more.</summary>
    public void CountAwaiting(V1Job job)
    {
        foreach (var pod in Awaiting.Values)
        {
            Count(job, pod);
        }

        Awaiting = new Dictionary<int, V1Pod>();
    }

    /// <summary>True where a pod counts as failed: it ended so, or it is told to go and another shall replace it at once.</summary>
    public static bool IsFailed(V1Job job, V1Pod pod) => pod.Status?.Phase == "Failed"
        || (job.Spec.PodReplacementPolicy != "Failed" && pod.Metadata.DeletionTimestamp is not null && pod.Status?.Phase != "Succeeded");

    private void LimitIndexes(V1Job job, IReadOnlyList<V1Pod> pods)
    {
        if (!IndexFailures.AreLimited(job))
        {
            return;
        }

        var failed = pods.Where(p => JobNames.IsTracked(p) && p.Status?.Phase != "Succeeded" && IsFailed(job, p) && IsValid(job, JobNames.IndexOf(p))).ToList();
        FailedIndexes = Known(job, job.Status?.FailedIndexes);
        FailedIndexes.UnionWith(failed.Where(p => IndexFailures.IsLast(job, p)).Select(JobNames.IndexOf));
        if (!JobNames.IsFinished(job))
        {
            var succeeded = pods.Where(p => p.Status?.Phase == "Succeeded").Select(JobNames.IndexOf);
            Awaiting = IndexFailures.Awaiting(failed, Indexes.Concat(succeeded).Concat(FailedIndexes).Concat(pods.Where(PodStates.IsActive).Select(JobNames.IndexOf)).ToHashSet());
        }
    }

    // A job may have got smaller: what it no longer has is forgotten.
    private static SortedSet<int> Known(V1Job job, string? indexes)
    {
        var all = IndexSet.Parse(indexes);
        all.RemoveWhere(i => !IsValid(job, i));
        return all;
    }

    private static bool IsValid(V1Job job, int index) => index >= 0 && index < job.Spec.Completions;

    // What was noted before and has lost its finalizer is a number from now on.
    private int Carry(IList<string>? uids, Dictionary<string, V1Pod> tracked, List<string> keep)
    {
        var counted = 0;
        foreach (var uid in uids ?? [])
        {
            if (tracked.Remove(uid, out var pod))
            {
                keep.Add(uid);
                Settled.Add(pod);
            }
            else
            {
                counted++;
            }
        }

        return counted;
    }

    private void Count(V1Job job, V1Pod pod)
    {
        if (UncountedSucceeded.Count + UncountedFailed.Count >= MaxUncounted)
        {
            return;
        }

        if (pod.Status?.Phase == "Succeeded")
        {
            CountSuccess(job, pod);
        }
        else if (IsFailed(job, pod))
        {
            var (action, message) = FailurePolicy.Match(job, pod);
            if (action == "FailJob")
            {
                FailJob ??= message;
            }

            if (action != "Ignore")
            {
                UncountedFailed.Add(pod.Metadata.Uid);
            }

            Settled.Add(pod);
        }
    }

    private void CountSuccess(V1Job job, V1Pod pod)
    {
        Settled.Add(pod);
        if (!JobNames.IsIndexed(job))
        {
            UncountedSucceeded.Add(pod.Metadata.Uid);
        }
        else if (JobNames.IndexOf(pod) is var index && IsValid(job, index) && Indexes.Add(index))
        {
            // An index is done or not: it cannot count twice.
            Succeeded++;
        }
    }
}
