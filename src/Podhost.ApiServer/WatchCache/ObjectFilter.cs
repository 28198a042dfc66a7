using Podhost.Api.Selectors;

namespace Podhost.ApiServer.WatchCache;

/// <summary>Which objects of a resource a list or watch is about.</summary>
/// <param name="KeyPrefix">Prefix of the keys: the resource's, the namespace's, or one whole key.</param>
/// <param name="Labels">Label selector, or null for all.</param>
/// <param name="Fields">Field selector, or null for all.</param>
/// <param name="FieldOf">How a field is read from an object; null reads it as it is stored.</param>
internal sealed record ObjectFilter(
    string KeyPrefix, LabelSelector? Labels = null, FieldSelector? Fields = null, Func<CachedObject, string, string?>? FieldOf = null)
{
    /// <summary>True where every object below the prefix matches.</summary>
    public bool IsAll => Labels is null && Fields is null;

    /// <summary>True where <see cref="KeyPrefix"/> is the key of one object.</summary>
    public bool WholeKey { get; init; }

    public bool MatchesKey(string key) =>
        WholeKey ? key == KeyPrefix : key.StartsWith(KeyPrefix, StringComparison.Ordinal);

    /// <summary>True where the selectors match, of an object below the prefix.</summary>
    public bool Matches(CachedObject obj) =>
        (!WholeKey || obj.Key == KeyPrefix) &&
        (Labels is null || Labels.Matches(obj.Selectable.Labels)) &&
        (Fields is null || Fields.Matches(field => FieldOf is null ? obj.Selectable.Get(field) : FieldOf(obj, field)));
}
