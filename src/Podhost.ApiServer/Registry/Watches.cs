using Podhost.Api.Resources;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Registry;

/// <summary>How a watch begins.</summary>
/// <param name="Watcher">The subscription; dispose it.</param>
/// <param name="InitialBookmark">True where the initial objects end with a bookmark that says so.</param>
internal sealed record OpenWatch(CacheWatcher Watcher, bool InitialBookmark);

/// <summary>Opens watches at the moment that the query names.</summary>
internal sealed class Watches(ObjectStore store, Lister lister)
{
    /// <exception cref="Podhost.Api.Errors.ApiException">410: the revision is too old; 504: it is not there yet; 400.</exception>
    public async ValueTask<OpenWatch> OpenAsync(ResourceInfo resource, string ns, string name, ListQuery query, CancellationToken cancellationToken)
    {
        SelectableFieldRules.Check(resource, query.Fields);
        var filter = lister.Filter(resource, ns, query);
        if (name.Length > 0)
        {
            filter = filter with { KeyPrefix = store.Key(resource, ns, name), WholeKey = true };
        }

        var cache = store.Caches.For(resource);
        if (query.SendInitialEvents == true)
        {
            await lister.ReachAsync(query, cancellationToken);
            return new OpenWatch(cache.WatchFromNow(filter), query.AllowBookmarks);
        }

        if (query.SendInitialEvents == false && query.ResourceVersion is "" or "0")
        {
            await lister.ReachAsync(query, cancellationToken);
            return new OpenWatch(cache.WatchAfter(filter, cache.Read().Revision), false);
        }

        if (query.ResourceVersion is "" or "0")
        {
            await lister.ReachAsync(query, cancellationToken);
            return new OpenWatch(cache.WatchFromNow(filter), false);
        }

        return new OpenWatch(cache.WatchAfter(filter, query.Revision), false);
    }
}
