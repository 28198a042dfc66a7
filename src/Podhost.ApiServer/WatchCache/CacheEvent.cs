namespace Podhost.ApiServer.WatchCache;

/// <summary>Kind of a change as watchers see it.</summary>
internal enum CacheEventType
{
    Added,
    Modified,
    Deleted,
    Bookmark,
}

/// <summary>One change of one object, shared by all watchers.</summary>
/// <param name="type">Added, Modified or Deleted.</param>
/// <param name="current">The new version; for Deleted the last state with the revision of the deletion.</param>
/// <param name="previous">The version before, or null.</param>
/// <param name="revision">Revision of the change.</param>
internal sealed class CacheEvent(CacheEventType type, CachedObject current, CachedObject? previous, long revision)
{
    private CachedObject? _left;

    public CacheEventType Type { get; } = type;

    public CachedObject Current { get; } = current;

    public CachedObject? Previous { get; } = previous;

    public long Revision { get; } = revision;

    public int Bytes => Current.Utf8.Length;

    /// <summary>What a watcher gets whose selector the object has left: the version before, at the revision of the change.</summary>
    private CachedObject Left => _left ??= new CachedObject(
        Previous!.Key, ExternalForm.WithRevision(Previous.Utf8.Span, Revision), Revision);

    /// <summary>The event as a watcher with a filter sees it; null where it sees nothing.</summary>
    public WatchItem? For(ObjectFilter filter)
    {
        if (!filter.MatchesKey(Current.Key))
        {
            return null;
        }

        var now = Type != CacheEventType.Deleted && filter.Matches(Current);
        var before = Previous is not null && filter.Matches(Previous);
        return (before, now) switch
        {
            (false, true) => new WatchItem(CacheEventType.Added, Current, Revision),
            (true, true) => new WatchItem(CacheEventType.Modified, Current, Revision),
            (true, false) => new WatchItem(CacheEventType.Deleted, Type == CacheEventType.Deleted ? Current : Left, Revision),
            _ => null,
        };
    }
}

/// <summary>What one watcher is told.</summary>
/// <param name="Type">Kind.</param>
/// <param name="Object">The object; null for a bookmark.</param>
/// <param name="Revision">Revision of the change, or up to which nothing was missed.</param>
internal readonly record struct WatchItem(CacheEventType Type, CachedObject? Object, long Revision);
