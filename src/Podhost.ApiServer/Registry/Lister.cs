using System.Globalization;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.ApiServer.Registry.Custom;
using Podhost.ApiServer.WatchCache;
using Podhost.Storage.Contract;

namespace Podhost.ApiServer.Registry;

/// <summary>One page of a list.</summary>
/// <param name="Items">The objects in key order.</param>
/// <param name="Revision">The list's resourceVersion.</param>
/// <param name="Continue">Token of the next page, empty where this is the last.</param>
/// <param name="Remaining">How many objects follow, or null where it is not known.</param>
internal sealed record ListPage(IReadOnlyList<CachedObject> Items, long Revision, string Continue, long? Remaining);

/// <summary>Lists objects: from the cache where it holds the revision asked for, else from the store's history.</summary>
internal sealed class Lister(ObjectStore store, Conversions conversions)
{
    private const string TooOldText =
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, " +
        "or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an " +
        "inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

    /// <summary>Lists one page.</summary>
    /// <exception cref="ApiException">410: the revision is gone; 504: it is not there yet; 400: a token or selector that cannot be used.</exception>
    public async ValueTask<ListPage> ListAsync(ResourceInfo resource, string ns, ListQuery query, CancellationToken cancellationToken)
    {
        SelectableFieldRules.Check(resource, query.Fields);
        var filter = Filter(resource, ns, query);
        if (query.Continue.Length > 0)
        {
            return await ContinueAsync(resource, filter, query, cancellationToken);
        }

        if (query.Match == "Exact")
        {
            return await AtRevisionAsync(resource, filter, query, query.Revision, null, cancellationToken);
        }

        await ReachAsync(query, cancellationToken);
        var (snapshot, revision) = store.Caches.For(resource).Read();

        await PrepareAsync(resource, query, snapshot.Range(filter.KeyPrefix), cancellationToken);

        // A list that takes whatever there is comes whole: upstream ignores the limit then too.
        var limit = query.ResourceVersion == "0" ? 0 : query.Limit;
        return Page(snapshot.Range(filter.KeyPrefix), filter, limit, revision, query.HasSelector, store.Caches.For(resource).Prefix);
    }

    // Fields that a selector names are those of the version that is asked for.
    private ValueTask PrepareAsync(ResourceInfo resource, ListQuery query, IEnumerable<CachedObject> objects, CancellationToken cancellationToken) =>
        query.Fields is null ? ValueTask.CompletedTask : conversions.PrepareAsync(resource, objects, cancellationToken);

    /// <summary>What the query is about.</summary>
    public ObjectFilter Filter(ResourceInfo resource, string ns, ListQuery query) => new(
        store.Caches.Layout.Prefix(resource, ns), query.Labels, query.Fields, query.Fields is null ? null : SelectableFieldRules.Reader(resource));

    /// <summary>Waits until the cache is as new as the query asks for.</summary>
    /// <exception cref="ApiException">504: the revision is not there yet.</exception>
    public async ValueTask ReachAsync(ListQuery query, CancellationToken cancellationToken)
    {
        if (query.ResourceVersion == "0")
        {
            return;
        }

        if (query.ResourceVersion.Length == 0)
        {
            if (!await store.TryCatchUpAsync(cancellationToken))
            {
                throw ApiException.Make(504, "Timeout", "Timeout: the watch cache is behind the store");
            }
        }
        else if (!await store.TryReachAsync(query.Revision, cancellationToken))
        {
            throw TooLarge(query.Revision, store.Caches.Revision);
        }
    }

    private async ValueTask<ListPage> ContinueAsync(ResourceInfo resource, ObjectFilter filter, ListQuery query, CancellationToken cancellationToken)
    {
        if (query.ResourceVersion is not ("" or "0"))
        {
            throw ApiException.BadRequest("specifying resource version is not allowed when using continue");
        }

        var token = ContinueToken.Decode(query.Continue);
        var prefix = store.Caches.For(resource).Prefix;
        var start = prefix + token.StartKey;
        if (!start.StartsWith(filter.KeyPrefix, StringComparison.Ordinal))
        {
            throw ApiException.BadRequest("continue key is not valid: it belongs to another list");
        }

        if (token.Revision > 0)
        {
            return await AtRevisionAsync(resource, filter, query, token.Revision, start, cancellationToken);
        }

        await ReachAsync(query with { ResourceVersion = "" }, cancellationToken);
        var (snapshot, revision) = store.Caches.For(resource).Read();
        await PrepareAsync(resource, query, snapshot.Range(filter.KeyPrefix, start), cancellationToken);
        return Page(snapshot.Range(filter.KeyPrefix, start), filter, query.Limit, revision, query.HasSelector, prefix);
    }

    private async ValueTask<ListPage> AtRevisionAsync(
        ResourceInfo resource, ObjectFilter filter, ListQuery query, long revision, string? start, CancellationToken cancellationToken)
    {
        var cache = store.Caches.For(resource);
        var (snapshot, known) = cache.Read();
        var isPresent = snapshot.LastChange <= revision && revision <= known;
        try
        {
            if (isPresent && start is not null)
            {
                // A token lives as long as the history does, also where the cache could go on: clients count on its end.
                await store.RangeAtAsync(filter.KeyPrefix, start, 1, revision, cancellationToken);
            }

            if (isPresent)
            {
                // Nothing of this kind has changed since: the present is that revision.
                await PrepareAsync(resource, query, snapshot.Range(filter.KeyPrefix, start), cancellationToken);
                return Page(snapshot.Range(filter.KeyPrefix, start), filter, query.Limit, revision, query.HasSelector, cache.Prefix);
            }

            // One more than a page tells whether there is a next one; with selectors everything has to be seen anyway.
            var limit = query.HasSelector || query.Limit == 0 ? 0 : (int)Math.Min(query.Limit + 1, int.MaxValue);
            var (objects, more) = await store.RangeAtAsync(filter.KeyPrefix, start, limit, revision, cancellationToken);
            var page = Page(objects, filter, query.Limit, revision, query.HasSelector, cache.Prefix);
            return page with { Remaining = page.Remaining + more };
        }
        catch (CompactedException) when (start is not null)
        {
            var error = ApiException.Expired(TooOldText);
            error.Status.Metadata = new V1ListMeta { ContinueProperty = new ContinueToken(-1, start[cache.Prefix.Length..]).Encode() };
            throw error;
        }
        catch (CompactedException)
        {
            throw ApiException.Expired("The resourceVersion for the provided list is too old.");
        }
        catch (FutureRevisionException e)
        {
            throw TooLarge(revision, e.Current);
        }
    }

    private static ListPage Page(
        IEnumerable<CachedObject> objects, ObjectFilter filter, long limit, long revision, bool hideRemaining, string prefix)
    {
        var items = new List<CachedObject>();
        string next = "";
        var remaining = 0L;
        foreach (var obj in objects)
        {
            if (!filter.IsAll && !filter.Matches(obj))
            {
                continue;
            }

            if (limit == 0 || items.Count < limit)
            {
                items.Add(obj);
                continue;
            }

            if (next.Length == 0)
            {
                next = new ContinueToken(revision, obj.Key[prefix.Length..]).Encode();
            }

            remaining++;
            if (hideRemaining)
            {
                break;
            }
        }

        return new ListPage(items, revision, next, next.Length == 0 || hideRemaining ? null : remaining);
    }

    private static ApiException TooLarge(long wanted, long current)
    {
        var error = ApiException.Make(504, "Timeout",
            $"Timeout: Too large resource version: {wanted.ToString(CultureInfo.InvariantCulture)}, current: {current.ToString(CultureInfo.InvariantCulture)}");
        error.Status.Details = new V1StatusDetails
        {
            RetryAfterSeconds = 1,
            Causes = [new V1StatusCause { Reason = "ResourceVersionTooLarge", Message = "Too large resource version" }],
        };
        return error;
    }
}
