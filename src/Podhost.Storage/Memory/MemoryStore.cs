using System.Runtime.CompilerServices;
using Podhost.Storage.Contract;
using Podhost.Storage.Expiry;
using Podhost.Storage.Keys;
using Podhost.Storage.Watching;

namespace Podhost.Storage.Memory;

/// <summary>A store in memory, for tests and for throw-away clusters. Nothing survives the process.</summary>
public sealed class MemoryStore : IStore, IReplaySource
{
    private const int ReplaySlice = 512;

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly WatchHub _hub;
    private readonly MemoryHistory _history = new();
    private readonly PriorityQueue<(string Key, long Revision), DateTimeOffset> _expiries = new();
    private readonly ExpiryTimer _timer;

    /// <summary>Makes an empty store at revision 1.</summary>
    public MemoryStore(TimeProvider? time = null, MemoryStoreOptions? options = null)
    {
        _time = time ?? TimeProvider.System;
        _hub = new WatchHub(this, _history.Revision, (options ?? new MemoryStoreOptions()).WatchBufferEvents);
        _timer = new ExpiryTimer(_time, DeleteExpired);
    }

    /// <inheritdoc/>
    public ValueTask<long> CurrentRevisionAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(_hub.Published);
    }

    /// <inheritdoc/>
    public ValueTask<StoreEntry?> GetAsync(string key, long revision, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        StoreKey.Encode(key);
        lock (_gate)
        {
            return ValueTask.FromResult(_history.Get(key, _history.Resolve(revision)));
        }
    }

    /// <inheritdoc/>
    public ValueTask<StoreRange> RangeAsync(RangeRequest request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ArgumentOutOfRangeException.ThrowIfNegative(request.Limit);
        lock (_gate)
        {
            return ValueTask.FromResult(_history.Range(request));
        }
    }

    /// <inheritdoc/>
    public ValueTask<WriteResult> PutAsync(PutRequest request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        StoreKey.Encode(request.Key);
        StoreKey.CheckValue(request.Value);
        lock (_gate)
        {
            var current = _history.Get(request.Key, _history.Revision);
            if ((current?.ModRevision ?? 0) != request.ExpectedModRevision)
            {
                return ValueTask.FromResult(new WriteResult(false, _history.Revision, current));
            }

            var stored = _history.Put(request.Key, request.Value.ToArray());
            if (request.Ttl is { } ttl)
            {
                var at = _time.GetUtcNow() + ttl;
                _expiries.Enqueue((request.Key, stored.ModRevision), at);
                _timer.ArmNoLaterThan(at);
            }

            _hub.Publish(stored.ModRevision, [new StoreEvent(StoreEventType.Put, stored, current)]);
            return ValueTask.FromResult(new WriteResult(true, stored.ModRevision, null));
        }
    }

    /// <inheritdoc/>
    public ValueTask<WriteResult> DeleteAsync(string key, long expectedModRevision, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        StoreKey.Encode(key);
        lock (_gate)
        {
            return ValueTask.FromResult(Delete(key, expectedModRevision));
        }
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<StoreWatchBatch> WatchAsync(string prefix, long fromRevision, CancellationToken cancellationToken)
    {
        StoreKey.EncodePrefix(prefix);
        ArgumentOutOfRangeException.ThrowIfNegative(fromRevision);
        return _hub.WatchAsync(prefix, fromRevision, cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask CompactAsync(long revision, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(revision);
        lock (_gate)
        {
            _history.Compact(revision);
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask<long> SizeAsync(CancellationToken cancellationToken) => ValueTask.FromResult(0L);

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _timer.Dispose();
        _hub.Close(new ObjectDisposedException(nameof(MemoryStore)));
        return ValueTask.CompletedTask;
    }

    async IAsyncEnumerable<StoreWatchBatch> IReplaySource.ReplayAsync(
        string prefix, long from, long to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        while (from <= to)
        {
            cancellationToken.ThrowIfCancellationRequested();
            List<StoreEvent> slice;
            long last;
            lock (_gate)
            {
                slice = _history.Changes(from, to, ReplaySlice, out last);
            }

            var selected = slice.FindAll(e => e.Entry.Key.StartsWith(prefix, StringComparison.Ordinal));
            if (selected.Count > 0)
            {
                yield return new StoreWatchBatch(last, selected);
            }

            from = last + 1;
        }
    }

    private WriteResult Delete(string key, long expectedModRevision)
    {
        var current = _history.Get(key, _history.Revision);
        if (current is null || current.ModRevision != expectedModRevision)
        {
            return new WriteResult(false, _history.Revision, current);
        }

        var tombstone = _history.Delete(current);
        _hub.Publish(tombstone.ModRevision, [new StoreEvent(StoreEventType.Delete, tombstone, current)]);
        return new WriteResult(true, tombstone.ModRevision, current);
    }

    private void DeleteExpired()
    {
        lock (_gate)
        {
            while (_expiries.TryPeek(out var due, out var at))
            {
                if (at > _time.GetUtcNow())
                {
                    _timer.ArmNoLaterThan(at);
                    return;
                }

                _expiries.Dequeue();

                // A newer version of the key has a time to live of its own, or none: then this changes nothing.
                Delete(due.Key, due.Revision);
            }
        }
    }
}
