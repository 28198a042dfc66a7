using System.Runtime.CompilerServices;
using Podhost.Storage.Contract;

namespace Podhost.Storage.Watching;

/// <summary>
/// Fans committed changes out to watchers. A watcher that starts in the past, or whose buffer ran over, reads the kept history up to the
/// published revision and then joins the live feed under the same lock that publishes: nothing is missed, nothing comes twice.
/// </summary>
internal sealed class WatchHub(IReplaySource source, long revision, int maxBufferedEvents)
{
    private readonly Lock _gate = new();
    private readonly List<WatchSubscription> _live = [];
    private long _published = revision;
    private Exception? _failure;

    /// <summary>All changes up to this revision were published.</summary>
    internal long Published => Volatile.Read(ref _published);

    /// <summary>How many watchers are on the live feed.</summary>
    internal int LiveCount
    {
        get
        {
            lock (_gate)
            {
                return _live.Count;
            }
        }
    }

    /// <summary>Publishes committed changes, in revision order, up to and including <paramref name="revision"/>.</summary>
    internal void Publish(long revision, IReadOnlyList<StoreEvent> events)
    {
        lock (_gate)
        {
            if (revision <= _published)
            {
                return;
            }

            Volatile.Write(ref _published, revision);
            for (var i = _live.Count - 1; i >= 0; i--)
            {
                if (!_live[i].Offer(revision, events))
                {
                    _live.RemoveAt(i);
                }
            }
        }
    }

    /// <summary>Ends all watchers with a failure, for example where history was lost; later ones start afresh from <paramref name="revision"/>.</summary>
    internal void Reset(long revision, Exception failure)
    {
        lock (_gate)
        {
            FailAll(failure);
            Volatile.Write(ref _published, revision);
        }
    }

    /// <summary>Ends all watchers, now and later, with a failure.</summary>
    internal void Close(Exception failure)
    {
        lock (_gate)
        {
            _failure ??= failure;
            FailAll(_failure);
        }
    }

    internal async IAsyncEnumerable<StoreWatchBatch> WatchAsync(
        string prefix, long fromRevision, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var next = fromRevision == 0 ? Published + 1 : fromRevision;
        while (true)
        {
            var subscription = TryAttach(prefix, next, out var published);
            if (subscription is null)
            {
                await foreach (var batch in source.ReplayAsync(prefix, next, published, cancellationToken).ConfigureAwait(false))
                {
                    yield return batch;
                }

                next = published + 1;
                continue;
            }

            try
            {
                yield return new StoreWatchBatch(published, []);
                while (true)
                {
                    var batch = subscription.TryTake(out var ended);
                    if (batch is not null)
                    {
                        yield return batch;
                    }
                    else if (ended)
                    {
                        break;
                    }
                    else
                    {
                        await subscription.WaitAsync(cancellationToken).ConfigureAwait(false);
                    }
                }
            }
            finally
            {
                Detach(subscription);
            }

            next = subscription.ResumeFrom;
        }
    }

    private WatchSubscription? TryAttach(string prefix, long next, out long published)
    {
        lock (_gate)
        {
            if (_failure is not null)
            {
                throw _failure;
            }

            published = _published;
            if (next <= published)
            {
                return null;
            }

            var subscription = new WatchSubscription(prefix, next, published, maxBufferedEvents);
            _live.Add(subscription);
            return subscription;
        }
    }

    private void Detach(WatchSubscription subscription)
    {
        lock (_gate)
        {
            _live.Remove(subscription);
        }
    }

    private void FailAll(Exception failure)
    {
        foreach (var subscription in _live)
        {
            subscription.Fail(failure);
        }

        _live.Clear();
    }
}
