using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
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
    private static readonly ResourceInfo Definitions = ResourceTable.For<V1CustomResourceDefinition>();
    private readonly List<ResourceCache> _builtIn = [];
    private readonly CustomCaches _custom;
    private volatile ServedCaches _served;
    private readonly RevisionGate _applied = new();
    private readonly TaskCompletionSource _filled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ObjectCaches(IStore store, KeyLayout layout, ApiServerOptions options, TimeProvider time, ILogger log)
    {
        _store = store;
        _time = time;
        _log = log;
        Layout = layout;
        ResourceCache Make(ResourceInfo resource) => new(
            resource,
            layout.Prefix(resource),
            new EventRing(options.WatchHistoryEvents, options.WatchHistoryBytes),
            options.WatchQueueLength,
            () => _applied.Revision);
        _builtIn.AddRange(ResourceTable.All.Where(r => !r.IsVirtual && r.StoredAs is null).Select(Make));
        _custom = new CustomCaches(Make);
        _served = new ServedCaches(layout.StorePrefix, ResourceSet.BuiltIn, _builtIn);
    }

    public KeyLayout Layout { get; }

    /// <summary>The cache of every stored resource.</summary>
    public IReadOnlyList<ResourceCache> All => _served.Caches;

    /// <summary>The resources that are served, as of the revision that the caches hold.</summary>
    public ResourceSet Resources => _served.Resources;

    /// <summary>True while the store cannot be followed.</summary>
    public bool IsBroken { get; private set; }

    public Task Filled => _filled.Task;

    /// <summary>The revision up to which every cache is complete.</summary>
    public long Revision => _applied.Revision;

    /// <summary>The cache of a resource.</summary>
    /// <exception cref="ApiException">404: the resource's definition is gone.</exception>
    public ResourceCache For(ResourceInfo resource) => _served.Find(resource)
        ?? throw ApiException.Make(404, "NotFound", "the server could not find the requested resource");

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
        var revision = 0L;
        foreach (var cache in _builtIn)
        {
            revision = await FillAsync(cache, revision, cancellationToken);
        }

        _custom.Update(_served.Find(Definitions)!.Snapshot.Objects);
        foreach (var cache in _custom.All)
        {
            await FillAsync(cache, revision, cancellationToken);
        }

        Serve();
        _applied.Advance(revision);
        return revision;
    }

    // At a revision; 0: the newest, which is returned.
    private async Task<long> FillAsync(ResourceCache cache, long revision, CancellationToken cancellationToken)
    {
        const int pageSize = 1_000;
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
        return revision;
    }

    private async Task FollowAsync(long revision, CancellationToken cancellationToken)
    {
        var definitions = _served.Find(Definitions)!;
        var byCache = new Dictionary<ResourceCache, List<StoreEvent>>();
        await foreach (var batch in _store.WatchAsync(Layout.StorePrefix, revision + 1, cancellationToken))
        {
            byCache.Clear();
            foreach (var change in batch.Events)
            {
                if (_served.Owner(change.Entry.Key) is { } cache)
                {
                    (byCache.TryGetValue(cache, out var list) ? list : byCache[cache] = []).Add(change);
                }
            }

            foreach (var (cache, changes) in byCache)
            {
                cache.Apply(changes);
            }

            if (byCache.ContainsKey(definitions))
            {
                await ServeCustomAsync(definitions, batch.Revision, cancellationToken);
            }

            _applied.Advance(batch.Revision);
        }
    }

    // What was written below a new kind's prefix up to this revision is read at once; later changes come with the next batches.
    private async Task ServeCustomAsync(ResourceCache definitions, long revision, CancellationToken cancellationToken)
    {
        foreach (var cache in _custom.Update(definitions.Snapshot.Objects))
        {
            await FillAsync(cache, revision, cancellationToken);
        }

        Serve();
    }

    private void Serve() => _served = new ServedCaches(Layout.StorePrefix, _custom.Resources(), [.. _builtIn, .. _custom.All]);

    /// <summary>The caches at one moment. Immutable.</summary>
    private sealed class ServedCaches
    {
        private readonly Dictionary<ResourceInfo, ResourceCache> _byResource = new(ReferenceEqualityComparer.Instance);
        private readonly Dictionary<string, ResourceCache>.AlternateLookup<ReadOnlySpan<char>> _byPrefix;
        private readonly int _prefixLength;

        public ServedCaches(string storePrefix, ResourceSet resources, IReadOnlyList<ResourceCache> caches)
        {
            Resources = resources;
            Caches = caches;
            foreach (var cache in caches)
            {
                _byResource[cache.Resource] = cache;
            }

            _byPrefix = caches.ToDictionary(c => c.Prefix, StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
            _prefixLength = storePrefix.Length;
        }

        public ResourceSet Resources { get; }

        public IReadOnlyList<ResourceCache> Caches { get; }

        public ResourceCache? Find(ResourceInfo resource) => _byResource.GetValueOrDefault(resource.StoredAs ?? resource);

        /// <summary>The cache of a key: its prefix is one segment of the key below the store's prefix, or two.</summary>
        public ResourceCache? Owner(string key)
        {
            var first = key.IndexOf('/', _prefixLength) + 1;
            if (first == 0)
            {
                return null;
            }

            if (_byPrefix.TryGetValue(key.AsSpan(0, first), out var found))
            {
                return found;
            }

            var second = key.IndexOf('/', first) + 1;
            return second > 0 && _byPrefix.TryGetValue(key.AsSpan(0, second), out found) ? found : null;
        }
    }
}
