using Podhost.Control.Objects;
using k8s.Models;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Control.Scheduler.Model;
using Podhost.Control.Scheduler.Queue;

namespace Podhost.Control.Scheduler;

/// <summary>What the scheduler knows: the cluster and the queue, kept by events. Thread-safe.</summary>
/// <param name="schedulerName">The schedulerName of the pods that are queued.</param>
/// <param name="time">The clock.</param>
internal sealed class SchedulerState(string schedulerName, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly ClusterCache _cache = new();
    private readonly SchedulingQueue _queue = new();
    private readonly Dictionary<string, string> _reported = [];

    /// <summary>The pod to try now with the cluster as it is, or null.</summary>
    public (PodView Pod, ClusterView Cluster)? Take()
    {
        lock (_gate)
        {
            return _queue.Take(time.GetUtcNow()) is { } pod ? (_cache.See(pod), _cache.View()) : null;
        }
    }

    /// <summary>When the next pod becomes ready by time alone; null where none does.</summary>
    public DateTimeOffset? NextAt()
    {
        lock (_gate)
        {
            return _queue.NextAt();
        }
    }

    public void OnPod(InformerEvent<V1Pod> change)
    {
        var (before, after) = change.Type == WatchEventKind.Deleted ? (change.Object, (V1Pod?)null) : (change.Previous, change.Object);
        lock (_gate)
        {
            if (before is not null && before.Metadata.Uid != after?.Metadata.Uid)
            {
                Forget(before.Metadata.Uid);
            }

            if (after is not null)
            {
                Put(before, after);
            }

            _queue.Changed(ClusterChanges.OfPlaced(before, after));
        }
    }

    public void OnNode(InformerEvent<V1Node> change)
    {
        lock (_gate)
        {
            if (change.Type == WatchEventKind.Deleted)
            {
                _cache.RemoveNode(change.Object.Metadata.Name);
                _queue.Changed(ClusterChange.NodeRemoved);
            }
            else
            {
                _cache.PutNode(change.Object);
                _queue.Changed(ClusterChanges.Of(change.Previous, change.Object));
            }
        }
    }

    public void OnNamespace(InformerEvent<V1Namespace> change)
    {
        lock (_gate)
        {
            var isGone = change.Type == WatchEventKind.Deleted;
            (isGone ? (Action<V1Namespace>)_cache.RemoveNamespace : _cache.PutNamespace)(change.Object);
            _queue.Changed(ClusterChanges.Of(change.Previous, isGone ? null : change.Object));
        }
    }

    public void OnService(InformerEvent<V1Service> change)
    {
        lock (_gate)
        {
            (change.Type == WatchEventKind.Deleted ? (Action<V1Service>)_cache.RemoveService : _cache.PutService)(change.Object);
        }
    }

    public void OnStorage()
    {
        lock (_gate)
        {
            _queue.Changed(ClusterChange.Storage);
        }
    }

    /// <summary>The pod waits for a change without anything to tell.</summary>
    public void Await(PodView pod, ClusterChange wakes)
    {
        lock (_gate)
        {
            _queue.Refused(pod.Uid, time.GetUtcNow(), wakes);
        }
    }

    /// <summary>A binding is on its way: the pod takes its place from now on.</summary>
    public void Assume(PodView pod, string node)
    {
        lock (_gate)
        {
            _cache.Assume(pod, node);
            _queue.Remove(pod.Uid);
        }
    }

    /// <summary>The binding failed. <paramref name="present"/>: the pod as it is by now, where it still is to be tried.</summary>
    public void Unassume(PodView pod, V1Pod? present)
    {
        lock (_gate)
        {
            if (_cache.IsAssumed(pod.Uid))
            {
                _cache.RemovePod(pod.Uid);
                _queue.Changed(ClusterChange.PodGone);
            }

            _reported.Remove(pod.Uid);
            if (present is not null && present.Metadata.Uid == pod.Uid && IsOurs(present))
            {
                _queue.Put(present);
                _queue.Retry(pod.Uid, time.GetUtcNow());
            }
        }
    }

    /// <summary>The pod fitted nowhere. Returns true where the message is new.</summary>
    public bool Refuse(PodView pod, string message, ClusterChange wakes)
    {
        lock (_gate)
        {
            _queue.Refused(pod.Uid, time.GetUtcNow(), wakes);
            var isNews = _reported.GetValueOrDefault(pod.Uid) != message;
            _reported[pod.Uid] = message;
            return isNews;
        }
    }

    /// <summary>What was decided could not be carried out: the pod is tried again after its back-off.</summary>
    public void Retry(PodView pod)
    {
        lock (_gate)
        {
            _reported.Remove(pod.Uid);
            _queue.Retry(pod.Uid, time.GetUtcNow());
        }
    }

    /// <summary>Notes for which node a pod waits; null ends that, and others may have the room.</summary>
    public void Nominate(PodView pod, string? node)
    {
        lock (_gate)
        {
            var ends = node is null && _cache.NominatedNodeOf(pod.Uid) is not null;
            _cache.Nominate(pod, node);
            _queue.Changed(ends ? ClusterChange.PodGone : ClusterChange.None);
        }
    }

    private void Put(V1Pod? before, V1Pod pod)
    {
        var uid = pod.Metadata.Uid;
        if (!string.IsNullOrEmpty(pod.Spec.NodeName) && !PodStates.IsFinished(pod))
        {
            _cache.PutPod(pod);
            _queue.Remove(uid);
            _reported.Remove(uid);
        }
        else if (!IsOurs(pod))
        {
            Forget(uid);
        }
        else if (!_cache.IsAssumed(uid))
        {
            _queue.Put(pod);

            // Only a change of the field counts: an event from before our own nomination was written must not end it.
            if (before?.Status?.NominatedNodeName != pod.Status?.NominatedNodeName)
            {
                _cache.Nominate(_cache.See(pod), pod.Status?.NominatedNodeName);
            }
        }
    }

    private void Forget(string uid)
    {
        var waited = _cache.NominatedNodeOf(uid) is not null;
        _cache.RemovePod(uid);
        _cache.Denominate(uid);
        _queue.Remove(uid);
        _reported.Remove(uid);
        _queue.Changed(waited ? ClusterChange.PodGone : ClusterChange.None);
    }

    private bool IsOurs(V1Pod pod) =>
        string.IsNullOrEmpty(pod.Spec.NodeName)
        && pod.Metadata.DeletionTimestamp is null
        && !PodStates.IsFinished(pod)
        && (pod.Spec.SchedulerName ?? "default-scheduler") == schedulerName
        && pod.Spec.SchedulingGates is not { Count: > 0 };
}
