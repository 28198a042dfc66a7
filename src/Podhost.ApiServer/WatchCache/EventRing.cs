namespace Podhost.ApiServer.WatchCache;

/// <summary>The newest changes of a resource, bounded by count and bytes, for watches that resume. Not thread-safe.</summary>
internal sealed class EventRing(int maxEvents, int maxBytes)
{
    private readonly Queue<CacheEvent> _events = new();
    private long _bytes;

    /// <summary>Every change after this revision is in the ring.</summary>
    public long CompleteAfter { get; private set; }

    /// <summary>Starts anew: the history begins after a revision.</summary>
    public void Reset(long revision)
    {
        _events.Clear();
        _bytes = 0;
        CompleteAfter = revision;
    }

    public void Add(CacheEvent e)
    {
        _events.Enqueue(e);
        _bytes += e.Bytes;
        while (_events.Count > maxEvents || (_bytes > maxBytes && _events.Count > 1))
        {
            var dropped = _events.Dequeue();
            _bytes -= dropped.Bytes;
            CompleteAfter = dropped.Revision;
        }

        // A revision is never split: what remains of the revision that was dropped last must go too.
        while (_events.TryPeek(out var next) && next.Revision <= CompleteAfter)
        {
            _bytes -= next.Bytes;
            _events.Dequeue();
        }
    }

    /// <summary>The changes after a revision, in order.</summary>
    public IEnumerable<CacheEvent> After(long revision) => _events.Where(e => e.Revision > revision);
}
