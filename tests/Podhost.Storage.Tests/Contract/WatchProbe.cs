using Podhost.Storage.Contract;

namespace Podhost.Storage.Tests.Contract;

/// <summary>Reads a watch in the background and checks its promises as it goes: whole revisions, in order, each once.</summary>
internal sealed class WatchProbe : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly List<StoreEvent> _events = [];
    private readonly Task _reading;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _revision;

    internal WatchProbe(IStore store, string prefix, long from, SemaphoreSlim? gate = null)
    {
        _reading = ReadAsync(store, prefix, from, gate);
    }

    internal Task Ended => _reading;

    internal IReadOnlyList<StoreEvent> Events
    {
        get
        {
            lock (_gate)
            {
                return [.. _events];
            }
        }
    }

    internal async Task<IReadOnlyList<StoreEvent>> UntilRevisionAsync(long revision)
    {
        await UntilAsync(() => _revision >= revision, $"revision {revision}");
        return Events;
    }

    internal async Task<IReadOnlyList<StoreEvent>> UntilCountAsync(int count)
    {
        await UntilAsync(() => _events.Count >= count, $"{count} events");
        return Events;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        try
        {
            await _reading;
        }
        catch (OperationCanceledException)
        {
        }
        catch (Exception) when (_reading.IsFaulted)
        {
            // A test that expects a failure has looked at Ended.
        }
    }

    private async Task UntilAsync(Func<bool> reached, string what)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (reached())
                {
                    return;
                }

                changed = _changed.Task;
            }

            if (_reading.IsFaulted)
            {
                await _reading;
            }

            try
            {
                await (await Task.WhenAny(changed, _reading).WaitAsync(deadline.Token));
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"the watch did not reach {what}: at revision {_revision} with {_events.Count} events");
            }
        }
    }

    private async Task ReadAsync(IStore store, string prefix, long from, SemaphoreSlim? gate)
    {
        var last = 0L;
        await foreach (var batch in store.WatchAsync(prefix, from, _stop.Token).WithCancellation(_stop.Token))
        {
            if (gate is not null)
            {
                await gate.WaitAsync(_stop.Token);
                gate.Release();
            }

            Assert.True(batch.Revision >= _revision, $"revision went back from {_revision} to {batch.Revision}");
            foreach (var e in batch.Events)
            {
                Assert.True(e.Entry.ModRevision >= last && e.Entry.ModRevision > _revision, $"event {e.Entry.ModRevision} after {last} (batch {_revision})");
                Assert.True(e.Entry.ModRevision <= batch.Revision);
                Assert.True(from == 0 || e.Entry.ModRevision >= from);
                Assert.StartsWith(prefix, e.Entry.Key, StringComparison.Ordinal);
                last = e.Entry.ModRevision;
            }

            lock (_gate)
            {
                _events.AddRange(batch.Events);
                _revision = batch.Revision;
                _changed.TrySetResult();
                _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }
}
