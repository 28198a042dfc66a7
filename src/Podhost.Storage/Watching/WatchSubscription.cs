using System.Threading.Channels;
using Podhost.Storage.Contract;

namespace Podhost.Storage.Watching;

/// <summary>The bounded buffer between the commit path and one watcher. It never blocks the commit path: where it is full, it ends.</summary>
internal sealed class WatchSubscription(string prefix, long from, long attachedAt, int maxBufferedEvents)
{
    private readonly Lock _gate = new();
    private readonly Queue<StoreWatchBatch> _batches = new();
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    private int _bufferedEvents;
    private long _seen = attachedAt;
    private long _delivered = attachedAt;
    private bool _ended;
    private Exception? _failure;

    /// <summary>After the end: the first revision that was not delivered.</summary>
    internal long ResumeFrom => Math.Max(from, _seen + 1);

    /// <summary>Called on the commit path. False where the buffer is full: the subscription has ended and must be removed.</summary>
    internal bool Offer(long revision, IReadOnlyList<StoreEvent> events)
    {
        var selected = Select(events);
        lock (_gate)
        {
            if (selected.Count > 0)
            {
                if (_bufferedEvents > 0 && _bufferedEvents + selected.Count > maxBufferedEvents)
                {
                    _ended = true;
                    _signal.Writer.TryWrite(true);
                    return false;
                }

                _batches.Enqueue(new StoreWatchBatch(revision, selected));
                _bufferedEvents += selected.Count;
            }

            _seen = revision;
        }

        _signal.Writer.TryWrite(true);
        return true;
    }

    internal void Fail(Exception failure)
    {
        lock (_gate)
        {
            _failure = failure;
            _ended = true;
        }

        _signal.Writer.TryWrite(true);
    }

    /// <summary>The next batch, a progress batch where only unselected changes happened, or null where there is nothing now.</summary>
    internal StoreWatchBatch? TryTake(out bool ended)
    {
        lock (_gate)
        {
            ended = false;
            if (_batches.TryDequeue(out var batch))
            {
                _bufferedEvents -= batch.Events.Count;
                _delivered = batch.Revision;
                return batch;
            }

            if (_failure is not null)
            {
                throw _failure;
            }

            if (_seen > _delivered)
            {
                _delivered = _seen;
                return new StoreWatchBatch(_seen, []);
            }

            ended = _ended;
            return null;
        }
    }

    internal async ValueTask WaitAsync(CancellationToken cancellationToken) => await _signal.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);

    private List<StoreEvent> Select(IReadOnlyList<StoreEvent> events)
    {
        List<StoreEvent>? selected = null;
        for (var i = 0; i < events.Count; i++)
        {
            var entry = events[i].Entry;
            if (entry.ModRevision >= from && entry.Key.StartsWith(prefix, StringComparison.Ordinal))
            {
                (selected ??= []).Add(events[i]);
            }
        }

        return selected ?? [];
    }
}
