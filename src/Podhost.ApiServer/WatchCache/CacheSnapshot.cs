using System.Collections.Immutable;

namespace Podhost.ApiServer.WatchCache;

/// <summary>All objects of a resource at one moment, in key order. Immutable.</summary>
/// <param name="Objects">The objects.</param>
/// <param name="LastChange">Revision of the newest change that is in it.</param>
internal sealed record CacheSnapshot(ImmutableSortedSet<CachedObject> Objects, long LastChange)
{
    public static CacheSnapshot Empty { get; } = new(ImmutableSortedSet.Create<CachedObject>(KeyOrder.Instance), 0);

    public CachedObject? Get(string key) => Objects.TryGetValue(Probe(key), out var found) ? found : null;

    /// <summary>The objects whose key has the prefix, from a start key on (inclusive).</summary>
    public IEnumerable<CachedObject> Range(string prefix, string? startKey = null)
    {
        var index = Objects.IndexOf(Probe(startKey ?? prefix));
        for (var i = index < 0 ? ~index : index; i < Objects.Count; i++)
        {
            var obj = Objects[i];
            if (!obj.Key.StartsWith(prefix, StringComparison.Ordinal))
            {
                yield break;
            }

            yield return obj;
        }
    }

    private static CachedObject Probe(string key) => new(key, [], 0);

    private sealed class KeyOrder : IComparer<CachedObject>
    {
        public static KeyOrder Instance { get; } = new();

        public int Compare(CachedObject? x, CachedObject? y) => string.CompareOrdinal(x!.Key, y!.Key);
    }
}
