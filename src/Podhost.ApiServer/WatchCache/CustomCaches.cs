using Podhost.Api.CustomResources;
using Podhost.Api.Resources;

namespace Podhost.ApiServer.WatchCache;

/// <summary>The custom kinds that the stored definitions make, and the cache of each. Used by the loop that follows the store, by nobody else.</summary>
/// <remarks>
/// A kind's cache lives as long as its definition, whether or not the kind is served: what is served at a revision follows from the
/// definitions of that revision alone, on every server of a store and after every restart.
/// </remarks>
internal sealed class CustomCaches(Func<ResourceInfo, ResourceCache> makeCache)
{
    private readonly Dictionary<string, CustomEntry> _byDefinition = new(StringComparer.Ordinal);

    public IEnumerable<ResourceCache> All => _byDefinition.Values.Select(e => e.Cache);

    /// <summary>Takes the definitions as they are now.</summary>
    /// <param name="definitions">All definitions.</param>
    /// <returns>The caches that are new, and not filled.</returns>
    public IReadOnlyList<ResourceCache> Update(IEnumerable<CachedObject> definitions)
    {
        var fresh = new List<ResourceCache>();
        var gone = _byDefinition.Keys.ToHashSet(StringComparer.Ordinal);
        foreach (var definition in definitions)
        {
            gone.Remove(definition.Key);
            var known = _byDefinition.GetValueOrDefault(definition.Key);
            if (known is not null && known.Definition.ModRevision == definition.ModRevision)
            {
                continue;
            }

            var obj = definition.ToObject();
            var uid = definition.Selectable.Get("metadata.uid") ?? "";
            if (known is null || known.Uid != uid)
            {
                known?.Cache.Close();
                var stored = CustomKinds.Stored(obj);
                var cache = makeCache(stored);
                known = new CustomEntry(definition, uid, stored, cache, []);
                fresh.Add(cache);
            }

            _byDefinition[definition.Key] = known with { Definition = definition, Served = CustomKinds.Served(obj, known.Stored) };
        }

        foreach (var key in gone)
        {
            _byDefinition[key].Cache.Close();
            _byDefinition.Remove(key);
        }

        return fresh;
    }

    /// <summary>What is served now.</summary>
    public ResourceSet Resources() => ResourceSet.With([.. _byDefinition.Values
        .OrderBy(e => e.Stored.Group, StringComparer.Ordinal).ThenBy(e => e.Stored.Plural, StringComparer.Ordinal)
        .SelectMany(e => e.Served)
        .GroupBy(r => r.Group, StringComparer.Ordinal)
        .SelectMany(g => g.OrderBy(r => r.Version, VersionOrder.Instance))]);

    private sealed record CustomEntry(
        CachedObject Definition, string Uid, ResourceInfo Stored, ResourceCache Cache, IReadOnlyList<ResourceInfo> Served);
}
