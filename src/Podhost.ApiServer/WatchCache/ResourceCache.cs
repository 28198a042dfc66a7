using System.Collections.Immutable;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.Storage.Contract;

namespace Podhost.ApiServer.WatchCache;

/// <summary>The objects of one resource, its recent changes and its watchers. Readers take snapshots without a lock.</summary>
internal sealed class ResourceCache
{
    private readonly Lock _gate = new();
    private readonly EventRing _ring;
    private readonly int _queueLength;
    private readonly Func<long> _appliedRevision;
    private readonly List<CacheWatcher> _watchers = [];
    private volatile CacheSnapshot _snapshot = CacheSnapshot.Empty;

    public ResourceCache(ResourceInfo resource, string prefix, EventRing ring, int queueLength, Func<long> appliedRevision)
    {
        Resource = resource;
        Prefix = prefix;
        _ring = ring;
        _queueLength = queueLength;
        _appliedRevision = appliedRevision;
    }

    public ResourceInfo Resource { get; }

    /// <summary>Prefix of the resource's keys, with a slash at the end.</summary>
    public string Prefix { get; }

    public CacheSnapshot Snapshot => _snapshot;

    /// <summary>How many watches there are at the moment.</summary>
    public int WatcherCount
    {
        get
        {
            lock (_gate)
            {
                return _watchers.Count;
            }
        }
    }

    /// <summary>A snapshot with the revision at which it is exact.</summary>
    /// <remarks>The applied revision is read first: everything up to it is in the snapshot, and what is newer is so up to its last change.</remarks>
    public (CacheSnapshot Snapshot, long Revision) Read()
    {
        var applied = _appliedRevision();
        var snapshot = _snapshot;
        return (snapshot, Math.Max(applied, snapshot.LastChange));
    }

    /// <summary>Replaces everything after a fresh list; all watchers are ended, because what they missed is not known.</summary>
    public void Reset(IEnumerable<StoreEntry> entries, long revision)
    {
        var builder = CacheSnapshot.Empty.Objects.ToBuilder();
        foreach (var entry in entries)
        {
            builder.Add(Decode(entry));
        }

        lock (_gate)
        {
            _snapshot = new CacheSnapshot(builder.ToImmutable(), revision);
            _ring.Reset(revision);
            _watchers.ForEach(w => w.End());
            _watchers.Clear();
        }
    }

    /// <summary>Ends all watchers: the resource is no longer there.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _snapshot = CacheSnapshot.Empty;
            _watchers.ForEach(w => w.End());
            _watchers.Clear();
        }
    }

    /// <summary>Applies changes of whole revisions, in order, and tells the watchers.</summary>
    public void Apply(IReadOnlyList<StoreEvent> changes)
    {
        lock (_gate)
        {
            var objects = _snapshot.Objects;
            var last = _snapshot.LastChange;
            var events = new List<CacheEvent>(changes.Count);
            foreach (var change in changes)
            {
                last = Math.Max(last, change.Entry.ModRevision);
                if (ToEvent(change, ref objects) is { } e)
                {
                    events.Add(e);
                }
            }

            _snapshot = new CacheSnapshot(objects, last);
            foreach (var e in events)
            {
                _ring.Add(e);
                Tell(e);
            }
        }
    }

    /// <summary>A watch that begins with the present objects as Added.</summary>
    public CacheWatcher WatchFromNow(ObjectFilter filter)
    {
        var watcher = new CacheWatcher(this, filter, _queueLength);
        lock (_gate)
        {
            var (snapshot, revision) = Read();
            var present = snapshot.Range(filter.KeyPrefix).Where(filter.Matches)
                .Select(o => new WatchItem(CacheEventType.Added, o, o.ModRevision));
            watcher.Begin(present, revision, snapshot.LastChange);
            _watchers.Add(watcher);
        }

        return watcher;
    }

    /// <summary>A watch of everything after a revision.</summary>
    /// <exception cref="ApiException">410 Expired: the history does not reach back that far.</exception>
    public CacheWatcher WatchAfter(ObjectFilter filter, long revision)
    {
        var watcher = new CacheWatcher(this, filter, _queueLength);
        lock (_gate)
        {
            if (revision < _ring.CompleteAfter)
            {
                throw ApiException.Expired($"too old resource version: {revision} ({_ring.CompleteAfter + 1})");
            }

            var missed = _ring.After(revision).Select(e => e.For(filter)).Where(i => i is not null).Select(i => i!.Value).ToList();
            watcher.Begin(missed, revision, Math.Max(revision, _snapshot.LastChange));
            _watchers.Add(watcher);
        }

        return watcher;
    }

    internal void Bookmark(CacheWatcher watcher)
    {
        lock (_gate)
        {
            watcher.OfferBookmark(Read().Revision);
        }
    }

    internal void Remove(CacheWatcher watcher)
    {
        lock (_gate)
        {
            _watchers.Remove(watcher);
        }
    }

    private void Tell(CacheEvent e)
    {
        for (var i = _watchers.Count - 1; i >= 0; i--)
        {
            if (!_watchers[i].Offer(e))
            {
                _watchers[i].End();
                _watchers.RemoveAt(i);
            }
        }
    }

    private static CacheEvent? ToEvent(StoreEvent change, ref ImmutableSortedSet<CachedObject> objects)
    {
        var entry = change.Entry;
        var probe = new CachedObject(entry.Key, [], 0);
        var previous = objects.TryGetValue(probe, out var found) ? found : null;
        if (change.Type == StoreEventType.Delete)
        {
            if (previous is null)
            {
                return null;
            }

            objects = objects.Remove(previous);
            var last = new CachedObject(entry.Key, ExternalForm.WithRevision(previous.Utf8.Span, entry.ModRevision), entry.ModRevision);
            return new CacheEvent(CacheEventType.Deleted, last, previous, entry.ModRevision);
        }

        var current = Decode(entry);
        objects = (previous is null ? objects : objects.Remove(previous)).Add(current);
        return new CacheEvent(previous is null ? CacheEventType.Added : CacheEventType.Modified, current, previous, entry.ModRevision);
    }

    internal static CachedObject Decode(StoreEntry entry) =>
        new(entry.Key, ExternalForm.WithRevision(entry.Value.Span, entry.ModRevision), entry.ModRevision);
}
