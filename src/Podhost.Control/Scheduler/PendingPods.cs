using k8s.Models;

namespace Podhost.Control.Scheduler;

/// <summary>The pods that wait for a node: which of them to try now, and when the next may be tried. Pure state, no clock of its own.</summary>
/// <remarks>
/// A pod that fitted nowhere is tried again when something changed that could help (a node, or a pod that left), after a back-off of 1 s that
/// doubles to 10 s, so that a busy cluster does not try hopeless pods on every event. Source: upstream's scheduling queue.
/// </remarks>
internal sealed class PendingPods
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxBackoff = TimeSpan.FromSeconds(10);
    private readonly Dictionary<string, Pending> _pending = [];

    /// <summary>Adds a pod or takes its newer version; a changed spec is tried at once.</summary>
    public void Put(V1Pod pod)
    {
        var uid = pod.Metadata.Uid;
        if (_pending.TryGetValue(uid, out var known) && known.Pod.Metadata.Generation == pod.Metadata.Generation)
        {
            _pending[uid] = known with { Pod = pod };
            return;
        }

        _pending[uid] = new Pending(pod, Dirty: true, Attempts: 0, NotBefore: DateTimeOffset.MinValue);
    }

    /// <summary>How often the cluster changed: a try remembers it, so that a change while it ran is not lost.</summary>
    public long Changes { get; private set; }

    public void Remove(string uid) => _pending.Remove(uid);

    /// <summary>Something changed that may let a waiting pod fit.</summary>
    public void ClusterChanged()
    {
        Changes++;
        foreach (var (uid, pending) in _pending)
        {
            _pending[uid] = pending with { Dirty = true };
        }
    }

    /// <summary>A try failed: it waits for a change after the one that the try saw last, and for its back-off.</summary>
    public void Failed(string uid, DateTimeOffset now, long seenChanges)
    {
        if (_pending.TryGetValue(uid, out var pending))
        {
            var backoff = TimeSpan.FromTicks(Math.Min(FirstBackoff.Ticks << Math.Min(pending.Attempts, 10), MaxBackoff.Ticks));
            _pending[uid] = pending with { Dirty = Changes != seenChanges, Attempts = pending.Attempts + 1, NotBefore = now + backoff };
        }
    }

    /// <summary>A try could not be carried out (the API refused or did not answer): it is tried again after its back-off without waiting for a change.</summary>
    public void Retry(string uid, DateTimeOffset now)
    {
        Failed(uid, now, Changes);
        if (_pending.TryGetValue(uid, out var pending))
        {
            _pending[uid] = pending with { Dirty = true };
        }
    }

    /// <summary>Pods to try now: higher priority first, then the older.</summary>
    public IReadOnlyList<V1Pod> Ready(DateTimeOffset now) =>
    [
        .. _pending.Values
            .Where(p => p.Dirty && p.NotBefore <= now)
            .Select(p => p.Pod)
            .OrderByDescending(p => p.Spec.Priority ?? 0)
            .ThenBy(p => p.Metadata.CreationTimestamp)
            .ThenBy(p => p.Metadata.Uid, StringComparer.Ordinal),
    ];

    /// <summary>When the next pod that may be tried ends its back-off; null where none waits for time.</summary>
    public DateTimeOffset? NextAt(DateTimeOffset now) =>
        _pending.Values.Where(p => p.Dirty && p.NotBefore > now).Select(p => (DateTimeOffset?)p.NotBefore).Min();

    private sealed record Pending(V1Pod Pod, bool Dirty, int Attempts, DateTimeOffset NotBefore);
}
