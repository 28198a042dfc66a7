using Podhost.Storage.Contract;
using Podhost.Storage.Keys;

namespace Podhost.Storage.Memory;

/// <summary>All kept versions: by key in key order, and by revision. Not thread-safe; its owner locks.</summary>
internal sealed class MemoryHistory
{
    private readonly List<string> _keys = [];
    private readonly Dictionary<string, List<StoreEntry>> _versions = new(StringComparer.Ordinal);
    private readonly List<StoreEvent> _log = [];

    /// <summary>The newest revision; a new store is at 1, as etcd's.</summary>
    internal long Revision { get; private set; } = 1;

    /// <summary>The oldest revision that can be read.</summary>
    internal long Compacted { get; private set; }

    /// <summary>The revision to read at; checks that it can be read.</summary>
    internal long Resolve(long revision)
    {
        if (revision == 0)
        {
            return Revision;
        }

        if (revision > Revision)
        {
            throw new FutureRevisionException(revision, Revision);
        }

        return revision < Compacted ? throw new CompactedException(Compacted) : revision;
    }

    internal StoreEntry? Get(string key, long revision)
    {
        if (!_versions.TryGetValue(key, out var versions))
        {
            return null;
        }

        var newest = versions.FindLast(v => v.ModRevision <= revision);
        return newest is null || newest.Version == 0 ? null : newest;
    }

    internal StoreRange Range(RangeRequest request)
    {
        StoreKey.EncodePrefix(request.Prefix);
        var revision = Resolve(request.Revision);
        var entries = new List<StoreEntry>();
        var remaining = 0L;
        for (var i = FirstIndex(request.StartKey ?? request.Prefix); i < _keys.Count; i++)
        {
            if (!_keys[i].StartsWith(request.Prefix, StringComparison.Ordinal))
            {
                break;
            }

            if (Get(_keys[i], revision) is not { } entry)
            {
                continue;
            }

            if (request.Limit > 0 && entries.Count == request.Limit)
            {
                remaining++;
            }
            else
            {
                entries.Add(entry);
            }
        }

        return new StoreRange(revision, entries, remaining > 0, remaining);
    }

    internal StoreEntry Put(string key, byte[] value)
    {
        var current = Get(key, Revision);
        var revision = ++Revision;
        var entry = new StoreEntry(key, value, current?.CreateRevision ?? revision, revision, (current?.Version ?? 0) + 1);
        Append(entry);
        _log.Add(new StoreEvent(StoreEventType.Put, entry, current));
        return entry;
    }

    /// <summary>Adds a tombstone (version 0).</summary>
    internal StoreEntry Delete(StoreEntry current)
    {
        var tombstone = new StoreEntry(current.Key, ReadOnlyMemory<byte>.Empty, 0, ++Revision, 0);
        Append(tombstone);
        _log.Add(new StoreEvent(StoreEventType.Delete, tombstone, current));
        return tombstone;
    }

    /// <summary>At most <paramref name="most"/> changes from a revision on, and up to which revision that is all.</summary>
    internal List<StoreEvent> Changes(long from, long to, int most, out long last)
    {
        if (from <= Compacted)
        {
            throw new CompactedException(Compacted);
        }

        // Every revision is one change, and the log starts right after the compaction.
        var start = (int)(from - Math.Max(Compacted, 1) - 1);
        start = Math.Max(start, 0);
        var count = Math.Min(most, _log.Count - start);
        var slice = _log.GetRange(start, Math.Max(count, 0)).FindAll(e => e.Entry.ModRevision <= to);
        last = slice.Count == 0 ? to : slice[^1].Entry.ModRevision;
        return slice;
    }

    internal void Compact(long revision)
    {
        if (revision > Revision)
        {
            throw new FutureRevisionException(revision, Revision);
        }

        if (revision <= Compacted)
        {
            return;
        }

        foreach (var change in _log.TakeWhile(e => e.Entry.ModRevision <= revision))
        {
            DropOlder(change.Entry.Key, revision);
        }

        _log.RemoveAll(e => e.Entry.ModRevision <= revision);
        Compacted = revision;
    }

    private void DropOlder(string key, long revision)
    {
        if (!_versions.TryGetValue(key, out var versions))
        {
            return;
        }

        var newest = versions.FindLastIndex(v => v.ModRevision <= revision);
        versions.RemoveRange(0, newest < 0 ? 0 : versions[newest].Version == 0 ? newest + 1 : newest);
        if (versions.Count == 0)
        {
            _versions.Remove(key);
            _keys.RemoveAt(FirstIndex(key));
        }
    }

    private void Append(StoreEntry entry)
    {
        if (!_versions.TryGetValue(entry.Key, out var versions))
        {
            _versions[entry.Key] = versions = [];
            _keys.Insert(FirstIndex(entry.Key), entry.Key);
        }

        versions.Add(entry);
    }

    private int FirstIndex(string key)
    {
        var index = _keys.BinarySearch(key, Utf8KeyComparer.Instance);
        return index < 0 ? ~index : index;
    }
}
