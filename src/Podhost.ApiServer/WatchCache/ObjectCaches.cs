using Microsoft.Extensions.Logging;
using Podhost.Api.Resources;
using Podhost.ApiServer.Hosting;
using Podhost.Storage.Contract;

namespace Podhost.ApiServer.WatchCache;

/// <summary>All caches, fed by one watch on the store: one revision stream, so one number says how fresh every cache is.</summary>
internal sealed class ObjectCaches : IObjectReader
{
    private readonly IStore _store;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Dictionary<ResourceInfo, ResourceCache> _byResource = new(ReferenceEqualityComparer.Instance);
    private readonly List<ResourceCache> _caches = [];
    private readonly RevisionGate _applied = new();
    private readonly TaskCompletionSource _filled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ObjectCaches(IStore store, KeyLayout layout, ApiServerOptions options, TimeProvider time, ILogger log)
    {
        _store = store;
        _time = time;
        _log = log;
        Layout = layout;
        foreach (var resource in ResourceTable.All.Where(r => !r.IsVirtual && r.StoredAs is null))
        {
            var ring = new EventRing(options.WatchHistoryEvents, options.WatchHistoryBytes);
            var cache = new ResourceCache(resource, layout.Prefix(resource), ring, options.WatchQueueLength, () => _applied.Revision);
            _byResource[resource] = cache;
            _caches.Add(cache);
        }
    }

    public KeyLayout Layout { get; }

    /// <summary>The cache of every stored resource.</summary>
    public IReadOnlyList<ResourceCache> All => _caches;

    /// <summary>True while the store cannot be followed.</summary>
    public bool IsBroken { get; private set; }

    public Task Filled => _filled.Task;

    /// <summary>The revision up to which every cache is complete.</summary>
    public long Revision => _applied.Revision;

    public ResourceCache For(ResourceInfo resource) => _byResource[resource.StoredAs ?? resource];

    public CachedObject? Get(ResourceInfo resource, string? ns, string name) =>
        For(resource).Snapshot.Get(Layout.Key(resource, ns ?? "", name));

    public IEnumerable<CachedObject> List(ResourceInfo resource, string? ns = null) =>
        For(resource).Snapshot.Range(Layout.Prefix(resource, ns ?? ""));

    public long Version(ResourceInfo resource) => For(resource).Snapshot.LastChange;

    public async ValueTask CatchUpAsync(CancellationToken cancellationToken)
    {
        var revision = await _store.CurrentRevisionAsync(cancellationToken);
        await _applied.WaitAsync(revision, cancellationToken);
    }

    /// <summary>Waits until the caches hold a revision.</summary>
    public ValueTask WaitAsync(long revision, CancellationToken cancellationToken) => _applied.WaitAsync(revision, cancellationToken);

    /// <summary>Fills the caches and follows the store until cancelled. Starts anew where the store lost the place.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var revision = await FillAsync(cancellationToken);
                _filled.TrySetResult();
                IsBroken = false;
                await FollowAsync(revision, cancellationToken);
            }
            catch (CompactedException e)
            {
                ServerLog.CacheCompacted(_log, e.CompactRevision);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // The store is unreachable for a moment (etcd), or broken: keep serving what is there and try again.
                IsBroken = true;
                ServerLog.CacheFailed(_log, e);
                await Task.Delay(TimeSpan.FromSeconds(1), _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<long> FillAsync(CancellationToken cancellationToken)
    {
        const int pageSize = 1_000;
        var revision = 0L;
        foreach (var cache in _caches)
        {
            var entries = new List<StoreEntry>();
            string? start = null;
            StoreRange page;
            do
            {
                page = await _store.RangeAsync(new RangeRequest(cache.Prefix, start, pageSize, revision), cancellationToken);
                revision = page.Revision;
                entries.AddRange(page.Entries);
                start = page.Entries.Count > 0 ? page.Entries[^1].Key + "\0" : null;
            }
            while (page.More);
            cache.Reset(entries, revision);
        }

        _applied.Advance(revision);
        return revision;
    }

    private async Task FollowAsync(long revision, CancellationToken cancellationToken)
    {
        var byCache = new Dictionary<ResourceCache, List<StoreEvent>>();
        await foreach (var batch in _store.WatchAsync(Layout.StorePrefix, revision + 1, cancellationToken))
        {
            byCache.Clear();
            foreach (var change in batch.Events)
            {
                if (CacheOf(change.Entry.Key) is { } cache)
                {
                    (byCache.TryGetValue(cache, out var list) ? list : byCache[cache] = []).Add(change);
                }
            }

            foreach (var (cache, changes) in byCache)
            {
                cache.Apply(changes);
            }

            _applied.Advance(batch.Revision);
        }
    }

    private ResourceCache? CacheOf(string key)
    {
        foreach (var cache in _caches)
        {
            if (key.StartsWith(cache.Prefix, StringComparison.Ordinal))
            {
                return cache;
            }
        }

        return null;
    }
}
