using System.Text.Json.Nodes;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.ApiServer.Hosting;
using Podhost.ApiServer.WatchCache;
using Podhost.Storage.Contract;

namespace Podhost.ApiServer.Registry;

/// <summary>Objects by resource, namespace and name, over the store and its caches. Knows keys and bytes, no rules.</summary>
internal sealed class ObjectStore(IStore store, ObjectCaches caches, ApiServerOptions options, TimeProvider time)
{
    private const int ListPageSize = 1_000;

    public ObjectCaches Caches { get; } = caches;

    public IStore Store { get; } = store;

    public TimeProvider Time { get; } = time;

    public string Key(ResourceInfo resource, string ns, string name) => Caches.Layout.Key(resource, ns, name);

    /// <summary>The newest version of an object, at least as new as any write that was acknowledged before the call; null where there is none.</summary>
    public async ValueTask<CachedObject?> FreshAsync(ResourceInfo resource, string ns, string name, CancellationToken cancellationToken)
    {
        var key = Key(resource, ns, name);
        if (await TryCatchUpAsync(cancellationToken))
        {
            return Caches.For(resource).Snapshot.Get(key);
        }

        var entry = await Store.GetAsync(key, 0, cancellationToken);
        return entry is null ? null : ResourceCache.Decode(entry);
    }

    /// <summary>Waits until the cache holds everything written so far; false where it takes too long.</summary>
    public async ValueTask<bool> TryCatchUpAsync(CancellationToken cancellationToken)
    {
        var revision = await Store.CurrentRevisionAsync(cancellationToken);
        return await TryReachAsync(revision, cancellationToken);
    }

    /// <summary>Waits until the cache holds a revision; false where it takes too long.</summary>
    public async ValueTask<bool> TryReachAsync(long revision, CancellationToken cancellationToken)
    {
        if (Caches.Revision >= revision)
        {
            return true;
        }

        using var timeout = new CancellationTokenSource(options.CacheFreshnessTimeout, Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await Caches.WaitAsync(revision, either.Token);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>Writes an object where its version is the expected one (0: where there is none). Null: somebody else was faster.</summary>
    public async ValueTask<CachedObject?> PutAsync(
        ResourceInfo resource, JsonObject obj, long expectedRevision, TimeSpan? ttl, bool dryRun, CancellationToken cancellationToken)
    {
        var key = Key(resource, Meta.Namespace(obj), Meta.Name(obj));
        var bytes = StoredForm.Encode(obj);
        if (dryRun)
        {
            return new CachedObject(key, expectedRevision == 0 ? bytes : ExternalForm.WithRevision(bytes, expectedRevision), expectedRevision);
        }

        var result = await Store.PutAsync(new PutRequest(key, bytes, expectedRevision, ttl), cancellationToken);
        return result.Succeeded ? new CachedObject(key, ExternalForm.WithRevision(bytes, result.Revision), result.Revision) : null;
    }

    /// <summary>Deletes an object of a version. Null: somebody else was faster. Else the last state at the revision of the deletion.</summary>
    public async ValueTask<CachedObject?> DeleteAsync(CachedObject current, bool dryRun, CancellationToken cancellationToken)
    {
        if (dryRun)
        {
            return current;
        }

        var result = await Store.DeleteAsync(current.Key, current.ModRevision, cancellationToken);
        return result.Succeeded
            ? new CachedObject(current.Key, ExternalForm.WithRevision(current.Utf8.Span, result.Revision), result.Revision)
            : null;
    }

    /// <summary>All objects below a prefix as they were at a revision.</summary>
    /// <exception cref="CompactedException">The revision is too old.</exception>
    public async ValueTask<(IReadOnlyList<CachedObject> Objects, long Remaining)> RangeAtAsync(
        string prefix, string? startKey, int limit, long revision, CancellationToken cancellationToken)
    {
        var result = new List<CachedObject>();
        StoreRange page;
        do
        {
            var size = limit == 0 ? ListPageSize : Math.Min(ListPageSize, limit - result.Count);
            page = await Store.RangeAsync(new RangeRequest(prefix, startKey, size, revision), cancellationToken);
            revision = page.Revision;
            result.AddRange(page.Entries.Select(ResourceCache.Decode));
            startKey = page.Entries.Count > 0 ? page.Entries[^1].Key + "\0" : null;
        }
        while (page.More && (limit == 0 || result.Count < limit));
        return (result, page.RemainingCount);
    }

    /// <summary>The object, or 404.</summary>
    public static CachedObject Require(CachedObject? found, ResourceInfo resource, string name) =>
        found ?? throw ApiException.NotFound(resource.Group, resource.Plural, name);
}
