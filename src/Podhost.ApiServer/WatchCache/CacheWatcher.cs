using System.Threading.Channels;

namespace Podhost.ApiServer.WatchCache;

/// <summary>One watch on a resource's cache: what was there at the start, then changes in order through a bounded queue.</summary>
internal sealed class CacheWatcher : IDisposable
{
    private readonly ResourceCache _cache;
    private readonly Channel<WatchItem> _queue;
    private long _startAfter;

    internal CacheWatcher(ResourceCache cache, ObjectFilter filter, int queueLength)
    {
        _cache = cache;
        Filter = filter;
        _queue = Channel.CreateBounded<WatchItem>(new BoundedChannelOptions(queueLength) { SingleReader = true, SingleWriter = true });
    }

    public ObjectFilter Filter { get; }

    /// <summary>The objects or changes to send before the queue is read.</summary>
    public IEnumerable<WatchItem> Initial { get; private set; } = [];

    /// <summary>The revision that <see cref="Initial"/> reaches.</summary>
    public long InitialRevision { get; private set; }

    /// <summary>Changes in order. Completes when the watcher fell behind, or when the cache had to start anew: the client must list again.</summary>
    public ChannelReader<WatchItem> Items => _queue.Reader;

    /// <summary>Puts a bookmark into the queue behind everything that it covers.</summary>
    public void RequestBookmark() => _cache.Bookmark(this);

    public void Dispose() => _cache.Remove(this);

    internal void Begin(IEnumerable<WatchItem> initial, long revision, long startAfter)
    {
        Initial = initial;
        InitialRevision = revision;
        _startAfter = startAfter;
    }

    /// <summary>Offers a change; false where the queue is full.</summary>
    internal bool Offer(CacheEvent e) =>
        e.Revision <= _startAfter || e.For(Filter) is not { } item || _queue.Writer.TryWrite(item);

    internal void OfferBookmark(long revision) =>
        _queue.Writer.TryWrite(new WatchItem(CacheEventType.Bookmark, null, Math.Max(revision, _startAfter)));

    internal void End() => _queue.Writer.TryComplete();
}
