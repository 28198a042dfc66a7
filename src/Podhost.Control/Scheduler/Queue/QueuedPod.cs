using k8s.Models;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Queue;

/// <summary>One pod of the queue. What orders it changes only while it is in no place.</summary>
internal sealed class QueuedPod(V1Pod pod)
{
    private readonly string _uid = pod.Metadata.Uid;
    private readonly int _priority = pod.Spec.Priority ?? 0;
    private readonly DateTime _created = pod.Metadata.CreationTimestamp ?? DateTime.MinValue;

    /// <summary>Higher priority first, then the older.</summary>
    public static IComparer<QueuedPod> ByImportance { get; } = Comparer<QueuedPod>.Create((a, b) =>
        a._priority != b._priority ? b._priority.CompareTo(a._priority)
        : a._created != b._created ? a._created.CompareTo(b._created)
        : string.CompareOrdinal(a._uid, b._uid));

    /// <summary>The earliest first.</summary>
    public static IComparer<QueuedPod> ByTime { get; } = Comparer<QueuedPod>.Create((a, b) => a.At != b.At ? a.At.CompareTo(b.At) : string.CompareOrdinal(a._uid, b._uid));

    /// <summary>Its newest version.</summary>
    public V1Pod Pod { get; set; } = pod;

    /// <summary>Tries that failed.</summary>
    public int Attempts { get; set; }

    /// <summary>The end of its back-off.</summary>
    public DateTimeOffset NotBefore { get; set; }

    /// <summary>When it leaves the place where it is.</summary>
    public DateTimeOffset At { get; set; }

    /// <summary>Changes that it waits for.</summary>
    public ClusterChange Wakes { get; set; }
}
