using System.Collections.Concurrent;
using k8s;
using k8s.Models;

namespace Podhost.Client.Informers;

/// <summary>
/// The copy, its indexes and its handlers. One writer (the informer's loop); a lock makes a change and its dispatch one step, so that a
/// handler that joins sees every object once and in order. Readers do not take it.
/// </summary>
internal sealed class InformerCache<T>(Action<Exception> onHandlerFailure) where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<ObjectKey, T> _objects = new();
    private readonly List<Subscription> _handlers = [];
    private readonly List<InformerIndex<T>> _indexes = [];
    private volatile IReadOnlyList<T>? _snapshot = [];

    internal T? Get(ObjectKey key) => _objects.GetValueOrDefault(key);

    internal IReadOnlyList<T> List()
    {
        if (_snapshot is { } snapshot)
        {
            return snapshot;
        }

        lock (_gate)
        {
            return _snapshot ??= [.. _objects.Values];
        }
    }

    internal IDisposable Subscribe(Action<InformerEvent<T>> handler)
    {
        lock (_gate)
        {
            var subscription = new Subscription(this, handler);
            _handlers.Add(subscription);
            foreach (var obj in _objects.Values)
            {
                Call(subscription, new InformerEvent<T>(WatchEventKind.Added, obj, null));
            }

            return subscription;
        }
    }

    internal InformerIndex<T> AddIndex(Func<T, IEnumerable<string>> valuesOf)
    {
        lock (_gate)
        {
            if (_indexes.Find(i => i.IsBy(valuesOf)) is { } same)
            {
                return same;
            }

            var index = new InformerIndex<T>(valuesOf);
            foreach (var obj in _objects.Values)
            {
                index.Replace(null, obj);
            }

            _indexes.Add(index);
            return index;
        }
    }

    /// <summary>Puts an object; an equal resourceVersion changes nothing; another uid is a deletion and a creation.</summary>
    internal void Put(T obj)
    {
        lock (_gate)
        {
            var key = ObjectKey.Of(obj);
            var previous = Get(key);
            if (previous is not null && previous.Metadata.Uid == obj.Metadata.Uid
                && previous.Metadata.ResourceVersion == obj.Metadata.ResourceVersion
                && !string.IsNullOrEmpty(obj.Metadata.ResourceVersion))
            {
                return;
            }

            if (previous is not null && previous.Metadata.Uid != obj.Metadata.Uid)
            {
                Remove(key, previous);
                previous = null;
            }

            _objects[key] = obj;
            Changed(previous, obj);
            Dispatch(new InformerEvent<T>(previous is null ? WatchEventKind.Added : WatchEventKind.Modified, obj, previous));
        }
    }

    /// <summary>Removes an object; handlers get it as the server last sent it.</summary>
    internal void Delete(T last)
    {
        lock (_gate)
        {
            var key = ObjectKey.Of(last);
            if (_objects.ContainsKey(key))
            {
                Remove(key, last);
            }
        }
    }

    /// <summary>Makes the copy equal to a full list: what is not in it was deleted while nobody watched.</summary>
    internal void Replace(IReadOnlyList<T> all)
    {
        lock (_gate)
        {
            var present = all.Select(o => ObjectKey.Of(o)).ToHashSet();
            foreach (var (key, obj) in _objects)
            {
                if (!present.Contains(key))
                {
                    Remove(key, obj);
                }
            }

            foreach (var obj in all)
            {
                Put(obj);
            }
        }
    }

    private void Remove(ObjectKey key, T last)
    {
        _objects.TryRemove(key, out var previous);
        Changed(previous, null);
        Dispatch(new InformerEvent<T>(WatchEventKind.Deleted, last, previous));
    }

    private void Changed(T? previous, T? next)
    {
        _snapshot = null;
        foreach (var index in _indexes)
        {
            index.Replace(previous, next);
        }
    }

    private void Dispatch(InformerEvent<T> change)
    {
        foreach (var handler in _handlers.ToArray())
        {
            Call(handler, change);
        }
    }

    private void Call(Subscription subscription, InformerEvent<T> change)
    {
        if (subscription.IsRemoved)
        {
            return;
        }

        try
        {
            subscription.Handler(change);
        }
        catch (Exception e)
        {
            // One faulty handler must not take the copy from the others.
            onHandlerFailure(e);
        }
    }

    private sealed class Subscription(InformerCache<T> owner, Action<InformerEvent<T>> handler) : IDisposable
    {
        internal Action<InformerEvent<T>> Handler => handler;

        internal bool IsRemoved { get; private set; }

        public void Dispose()
        {
            lock (owner._gate)
            {
                IsRemoved = true;
                owner._handlers.Remove(this);
            }
        }
    }
}
