namespace Podhost.ApiServer.WatchCache;

/// <summary>A revision that only grows, and those who wait for it.</summary>
internal sealed class RevisionGate
{
    private readonly Lock _gate = new();
    private readonly PriorityQueue<TaskCompletionSource, long> _waiting = new();
    private long _revision;

    public long Revision => Volatile.Read(ref _revision);

    public void Advance(long revision)
    {
        lock (_gate)
        {
            if (revision <= _revision)
            {
                return;
            }

            Volatile.Write(ref _revision, revision);
            while (_waiting.TryPeek(out var waiter, out var wanted) && wanted <= revision)
            {
                _waiting.Dequeue();
                waiter.TrySetResult();
            }
        }
    }

    public ValueTask WaitAsync(long revision, CancellationToken cancellationToken)
    {
        if (Revision >= revision)
        {
            return ValueTask.CompletedTask;
        }

        TaskCompletionSource waiter;
        lock (_gate)
        {
            if (_revision >= revision)
            {
                return ValueTask.CompletedTask;
            }

            waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue(waiter, revision);
        }

        return new ValueTask(waiter.Task.WaitAsync(cancellationToken));
    }
}
