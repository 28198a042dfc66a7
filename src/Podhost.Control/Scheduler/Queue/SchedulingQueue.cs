using k8s.Models;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Queue;

/// <summary>
/// The pods that want a node, in three places: ready to be tried (by priority, then age), in back-off (until a time), and waiting (until
/// the cluster changes in a way that their refusals name). Pure state, no clock of its own. Not thread-safe.
/// </summary>
/// <remarks>Back-off is 1 s and doubles to 10 s; what waits for 5 minutes is tried anyway. Source: upstream's scheduling queue.</remarks>
internal sealed class SchedulingQueue
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxBackoff = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan MaxWait = TimeSpan.FromMinutes(5);
    private readonly Dictionary<string, QueuedPod> _all = [];
    private readonly SortedSet<QueuedPod> _ready = new(QueuedPod.ByImportance);
    private readonly SortedSet<QueuedPod> _backoff = new(QueuedPod.ByTime);
    private readonly SortedSet<QueuedPod> _waiting = new(QueuedPod.ByTime);
    private QueuedPod? _inFlight;
    private ClusterChange _seenInFlight;

    /// <summary>Pods in the queue, the one that is tried now included.</summary>
    public int Count => _all.Count;

    /// <summary>Adds a pod or takes its newer version; a changed spec is tried at once.</summary>
    public void Put(V1Pod pod)
    {
        if (_all.TryGetValue(pod.Metadata.Uid, out var known))
        {
            var isSame = known.Pod.Metadata.Generation == pod.Metadata.Generation;
            known.Pod = pod;
            if (!isSame)
            {
                Renew(known);
            }

            return;
        }

        var entry = new QueuedPod(pod);
        _all.Add(pod.Metadata.Uid, entry);
        _ready.Add(entry);
    }

    public void Remove(string uid)
    {
        if (_all.Remove(uid, out var entry))
        {
            Leave(entry);
        }
    }

    /// <summary>Takes the pod to try now; it stays in the queue until <see cref="Remove"/>, <see cref="Refused"/> or <see cref="Retry"/>.</summary>
    public V1Pod? Take(DateTimeOffset now)
    {
        Release(now);
        if (_ready.Min is not { } entry)
        {
            return null;
        }

        _ready.Remove(entry);
        _inFlight = entry;
        _seenInFlight = ClusterChange.None;
        return entry.Pod;
    }

    /// <summary>The cluster changed: what waits for such a change goes on, after the rest of its back-off.</summary>
    public void Changed(ClusterChange change)
    {
        if (change == ClusterChange.None)
        {
            return;
        }

        _seenInFlight |= change;
        foreach (var entry in _waiting.Where(e => (e.Wakes & change) != 0).ToList())
        {
            _waiting.Remove(entry);
            entry.At = entry.NotBefore;
            _backoff.Add(entry);
        }
    }

    /// <summary>A try failed: it waits for a change of one of these kinds that comes after the try began.</summary>
    public void Refused(string uid, DateTimeOffset now, ClusterChange wakes)
    {
        if (Fail(uid, now) is not { } entry)
        {
            return;
        }

        if ((_seenInFlight & wakes) != 0)
        {
            entry.At = entry.NotBefore;
            _backoff.Add(entry);
            return;
        }

        entry.Wakes = wakes;
        entry.At = now + MaxWait;
        _waiting.Add(entry);
    }

    /// <summary>A try could not be carried out (the API refused or did not answer): it is tried again after its back-off.</summary>
    public void Retry(string uid, DateTimeOffset now)
    {
        if (Fail(uid, now) is { } entry)
        {
            entry.At = entry.NotBefore;
            _backoff.Add(entry);
        }
    }

    /// <summary>When the next pod becomes ready by time alone; null where none does.</summary>
    public DateTimeOffset? NextAt()
    {
        var (backoff, waiting) = (_backoff.Min?.At, _waiting.Min?.At);
        return backoff is null || waiting < backoff ? waiting ?? backoff : backoff;
    }

    private void Release(DateTimeOffset now)
    {
        foreach (var place in (SortedSet<QueuedPod>[])[_backoff, _waiting])
        {
            while (place.Min is { } entry && entry.At <= now)
            {
                place.Remove(entry);
                _ready.Add(entry);
            }
        }
    }

    private QueuedPod? Fail(string uid, DateTimeOffset now)
    {
        if (!_all.TryGetValue(uid, out var entry))
        {
            return null;
        }

        Leave(entry);
        entry.NotBefore = now + TimeSpan.FromTicks(Math.Min(FirstBackoff.Ticks << Math.Min(entry.Attempts, 10), MaxBackoff.Ticks));
        entry.Attempts++;
        return entry;
    }

    // A changed spec starts anew. While it is tried, the change is remembered like one of the cluster.
    private void Renew(QueuedPod entry)
    {
        if (entry == _inFlight)
        {
            _seenInFlight = ClusterChange.All;
            return;
        }

        Leave(entry);
        entry.Attempts = 0;
        _ready.Add(entry);
    }

    private void Leave(QueuedPod entry)
    {
        _ready.Remove(entry);
        _backoff.Remove(entry);
        _waiting.Remove(entry);
        _inFlight = entry == _inFlight ? null : _inFlight;
    }
}
