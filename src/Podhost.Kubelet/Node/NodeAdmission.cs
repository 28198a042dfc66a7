using k8s.Models;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Podhost.Kubelet.Eviction;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Pods.Loop;

namespace Podhost.Kubelet.Node;

/// <summary>
/// The account of what the admitted pods take: a pod that was admitted stays so, with what it was given then. Pods that ask for other resources
/// later get them when there is room; those that must wait are looked at again when another pod leaves or asks for less.
/// </summary>
internal sealed partial class NodeAdmission : IPodAdmission
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Place> places = new(StringComparer.Ordinal);

    /// <summary>Pods that wait for others to leave, with the UIDs of those.</summary>
    private readonly Dictionary<string, HashSet<string>> waiting = new(StringComparer.Ordinal);
    private readonly NodeJudgement judgement;
    private readonly AllocationFile? file;
    private readonly TimeProvider time;
    private readonly ILogger logger;

    /// <summary>What the process before this one gave, of pods that were not seen yet.</summary>
    private readonly Dictionary<string, PodAllocation> former;
    private long sequence;

    /// <summary>False while pods that the process before this one had may not have been seen yet: what is free is not known then.</summary>
    private bool complete;

    /// <summary>An account.</summary>
    /// <param name="judgement">Says what fits.</param>
    /// <param name="file">Keeps what was given over a restart; null: nothing is kept.</param>
    /// <param name="time">Clock of the waiting.</param>
    /// <param name="logger">Failures of the file.</param>
    public NodeAdmission(NodeJudgement judgement, AllocationFile? file = null, TimeProvider? time = null, ILogger? logger = null)
    {
        this.judgement = judgement;
        this.file = file;
        this.time = time ?? TimeProvider.System;
        this.logger = logger ?? NullLogger.Instance;
        string? error = null;
        former = file?.Read(out error) ?? [];
        complete = former.Count == 0;
        if (error is not null)
        {
            LogUnreadable(this.logger, error);
        }
    }

    /// <inheritdoc/>
    public event Action<string, PodAllocation>? Settled;

    /// <inheritdoc/>
    public event Action<string, AdmissionVerdict>? Decided;

    /// <inheritdoc/>
    public event Action<string, StopRequest>? Preempts;

    /// <inheritdoc/>
    public AdmissionVerdict? Admit(V1Pod pod, PodOrigin origin)
    {
        IReadOnlyList<V1Pod> leaving;
        AdmissionVerdict? verdict;
        lock (gate)
        {
            (verdict, leaving) = AdmitBeside(pod, origin);
        }

        // Outside of the lock: who listens has locks of its own.
        foreach (var other in leaving)
        {
            Preempts?.Invoke(other.Metadata.Uid, new StopRequest(StopCause.Evicted, StopRules.GraceOf(other), "Preempting", "Preempted in order to admit critical pod")
            {
                Disruption = "Pod was preempted by Kubelet to accommodate a critical pod.",
            });
        }

        return verdict;
    }

    private (AdmissionVerdict? Verdict, IReadOnlyList<V1Pod> Leaving) AdmitBeside(V1Pod pod, PodOrigin origin)
    {
        if (pod.Status?.Phase is "Succeeded" or "Failed")
        {
            return (AdmissionVerdict.Ok, []);
        }

        var uid = pod.Metadata.Uid;
        var given = former.GetValueOrDefault(uid) ?? PodAllocation.Of(pod);
        var applied = given.Apply(pod);
        var others = Others(uid);
        var verdict = judgement.Of(applied, origin, others);
        IReadOnlyList<V1Pod> leaving = [];
        if (!verdict.Admitted && StorageLimits.IsCritical(pod))
        {
            (verdict, leaving) = MakeRoom(applied, origin, others);
        }

        if (verdict.Admitted)
        {
            former.Remove(uid);
            places[uid] = new Place(pod, applied, given);
            Save();
        }

        if (leaving.Count == 0)
        {
            return (verdict, []);
        }

        // It has its place already: nobody else is given what becomes free.
        waiting[uid] = [.. leaving.Select(p => p.Metadata.Uid)];
        return (null, leaving);
    }

    /// <summary>A critical pod is refused for anything but a lack of room: less important pods leave for it.</summary>
    private (AdmissionVerdict Verdict, IReadOnlyList<V1Pod> Leaving) MakeRoom(V1Pod pod, PodOrigin origin, IReadOnlyList<V1Pod> others)
    {
        if (judgement.WithRoom(pod, origin, others) is { Admitted: false } refused)
        {
            return (refused, []);
        }

        try
        {
            return (AdmissionVerdict.Ok, PreemptionRules.Choose(pod, others, judgement.Shortages(pod, others)));
        }
        catch (PreemptionException e)
        {
            return (new AdmissionVerdict(false, "UnexpectedAdmissionError", "Unexpected error while attempting to recover from admission failure: " + e.Message), []);
        }
    }

    /// <summary>Pods for which all others have left now that this one has.</summary>
    private List<string> Left(string podUid)
    {
        waiting.Remove(podUid);
        foreach (var others in waiting.Values)
        {
            others.Remove(podUid);
        }

        List<string> ready = [.. waiting.Where(w => w.Value.Count == 0).Select(w => w.Key)];
        ready.ForEach(uid => waiting.Remove(uid));
        return ready;
    }

    /// <inheritdoc/>
    public PodAllocation? Ask(V1Pod pod)
    {
        PodAllocation answer;
        IReadOnlyList<(string, PodAllocation)> others = [];
        lock (gate)
        {
            if (!places.TryGetValue(pod.Metadata.Uid, out var place))
            {
                return null;
            }

            var before = place.Applied;
            place.Wanted = pod;
            Settle(place);
            if (ResizeOrder.AsksForLess(before, place.Applied))
            {
                others = Retry(pod.Metadata.Uid);
            }

            answer = place.Given;
        }

        Tell(others);
        return answer;
    }

    /// <inheritdoc/>
    public void Release(string podUid)
    {
        IReadOnlyList<(string, PodAllocation)> others;
        List<string> ready;
        lock (gate)
        {
            if (!places.Remove(podUid))
            {
                return;
            }

            ready = Left(podUid);
            others = Retry(podUid);
        }

        ready.ForEach(uid => Decided?.Invoke(uid, AdmissionVerdict.Ok));
        Tell(others);
    }

    /// <inheritdoc/>
    public void SourcesKnown()
    {
        List<(string, PodAllocation)> changed;
        lock (gate)
        {
            former.Clear();
            complete = true;
            changed = Retry(places.Values.Where(p => !p.Given.Gives(p.Wanted)));
        }

        Tell(changed);
    }

    private List<V1Pod> Others(string uid) => [.. places.Where(p => p.Key != uid).Select(p => p.Value.Applied)];

    /// <summary>Gives a pod what it asks for, or says why not.</summary>
    private void Settle(Place place)
    {
        var (before, pod) = (place.Given, place.Wanted);
        var differs = !before.Gives(pod);
        var pending = !differs ? null : complete ? judgement.OfResize(pod, Others(pod.Metadata.Uid)) : Shown(pod);
        if (pending is null && (complete || !differs))
        {
            place.Given = PodAllocation.Of(pod) with { Sequence = ++sequence };
            place.Applied = pod;
            if (differs)
            {
                Save();
            }

            return;
        }

        if (before.Pending?.Reason != pending?.Reason)
        {
            place.Since = time.GetUtcNow();
        }

        place.Given = before with { Pending = pending, Sequence = ++sequence };
        place.Applied = before.Apply(pod);
    }

    /// <summary>What the process before this one said of a resize.</summary>
    private static PendingResize? Shown(V1Pod pod) =>
        pod.Status?.Conditions?.FirstOrDefault(c => c.Type == "PodResizePending") is { } shown ? new PendingResize(shown.Reason, shown.Message) : null;

    // What is infeasible would need another node.
    private List<(string Uid, PodAllocation Given)> Retry(string except) =>
        Retry(places.Where(p => p.Key != except && p.Value.Given.Pending is { Reason: "Deferred" }).Select(p => p.Value));

    /// <summary>Looks again at those that wait; returns the ones for which something changed.</summary>
    private List<(string Uid, PodAllocation Given)> Retry(IEnumerable<Place> deferred)
    {
        var changed = new List<(string, PodAllocation)>();
        foreach (var place in ResizeOrder.Sort(deferred, p => p.Applied, p => p.Wanted, p => p.Since).ToList())
        {
            var before = place.Given;
            Settle(place);
            if (place.Given.Pending != before.Pending || place.Given.Generation != before.Generation)
            {
                changed.Add((place.Wanted.Metadata.Uid, place.Given));
            }
        }

        return changed;
    }

    // Outside of the lock: who listens has locks of its own.
    private void Tell(IReadOnlyList<(string Uid, PodAllocation Given)> changed)
    {
        foreach (var (uid, given) in changed)
        {
            Settled?.Invoke(uid, given);
        }
    }

    private void Save()
    {
        try
        {
            file?.Write(places.Select(p => KeyValuePair.Create(p.Key, p.Value.Given)).Concat(former));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It holds in this process; the next one takes the specs as they are then.
            LogUnwritten(logger, e.Message);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "What pods were given before the restart cannot be read; they have what their specs say: {Error}")]
    private static partial void LogUnreadable(ILogger logger, string error);

    [LoggerMessage(2, LogLevel.Warning, "What pods were given cannot be written: {Error}")]
    private static partial void LogUnwritten(ILogger logger, string error);

    private sealed class Place(V1Pod wanted, V1Pod applied, PodAllocation given)
    {
        public V1Pod Wanted { get; set; } = wanted;

        /// <summary>The pod with what it was given: what it takes.</summary>
        public V1Pod Applied { get; set; } = applied;

        public PodAllocation Given { get; set; } = given;

        public DateTimeOffset Since { get; set; }
    }
}
