namespace Podhost.Storage.Sqlite;

/// <summary>The bounded queue before the writer thread. Callers wait for room without a thread; the writer takes all that wait.</summary>
internal sealed class WriteQueue(int capacity) : IDisposable
{
    private readonly SemaphoreSlim _room = new(capacity, capacity);
    private readonly object _gate = new();
    private readonly Queue<WriteOperation> _waiting = new();
    private bool _closed;

    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    internal async ValueTask EnqueueAsync(WriteOperation operation, CancellationToken cancellationToken)
    {
        await _room.WaitAsync(cancellationToken).ConfigureAwait(false);
        if (!Add(operation))
        {
            _room.Release();
            throw new ObjectDisposedException(nameof(SqliteStore));
        }
    }

    /// <summary>Adds one of the store's own operations, outside the bound; false where the store is closed.</summary>
    internal bool EnqueueInternal(WriteOperation operation)
    {
        operation.HoldsNoRoom = true;
        return Add(operation);
    }

    /// <summary>Takes up to <paramref name="most"/>; with <paramref name="wait"/> blocks the writer's thread until there is one. False where closed and empty.</summary>
    internal bool Take(List<WriteOperation> into, int most, bool wait)
    {
        into.Clear();
        var freed = 0;
        lock (_gate)
        {
            while (wait && _waiting.Count == 0 && !_closed)
            {
                Monitor.Wait(_gate);
            }

            while (into.Count < most && _waiting.TryDequeue(out var operation))
            {
                into.Add(operation);
                freed += operation.HoldsNoRoom ? 0 : 1;
            }

            if (into.Count == 0 && _closed)
            {
                return false;
            }
        }

        if (freed > 0)
        {
            _room.Release(freed);
        }

        return true;
    }

    internal void Close()
    {
        lock (_gate)
        {
            _closed = true;
            Monitor.PulseAll(_gate);
        }
    }

    public void Dispose() => _room.Dispose();

    private bool Add(WriteOperation operation)
    {
        lock (_gate)
        {
            if (_closed)
            {
                return false;
            }

            _waiting.Enqueue(operation);
            Monitor.Pulse(_gate);
            return true;
        }
    }
}
