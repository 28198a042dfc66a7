namespace Podhost.Api.Schema;

/// <summary>How a list is merged by server-side apply (x-kubernetes-list-type).</summary>
public enum ListType
{
    /// <summary>Replaced as a whole; also what an unmarked list is.</summary>
    Atomic,

    /// <summary>Items are unique scalars, each owned by itself.</summary>
    Set,

    /// <summary>Items are objects with keys, each owned by itself.</summary>
    Map,
}

/// <summary>One field of an object type.</summary>
public sealed class SchemaField
{
    internal SchemaField(string name, SchemaValue value) => (Name, Value) = (name, value);

    /// <summary>JSON name.</summary>
    public string Name { get; }

    /// <summary>Type of the value.</summary>
    public SchemaValue Value { get; }

    /// <summary>True where the API demands the field.</summary>
    public bool Required { get; internal init; }

    /// <summary>patchStrategy of strategic merge patch: <c>merge</c>, <c>replace</c>, <c>retainKeys</c>, <c>merge,retainKeys</c> or empty.</summary>
    public string PatchStrategy { get; internal init; } = "";

    /// <summary>patchMergeKey of strategic merge patch, or empty.</summary>
    public string MergeKey { get; internal init; } = "";

    /// <summary>x-kubernetes-list-type as it is written upstream: <c>atomic</c>, <c>set</c>, <c>map</c> or empty.</summary>
    public string DeclaredListType { get; internal init; } = "";

    /// <summary>Keys of a list of type map.</summary>
    public IReadOnlyList<string> ListMapKeys { get; internal init; } = [];

    /// <summary>x-kubernetes-map-type as it is written upstream: <c>atomic</c>, <c>granular</c> or empty.</summary>
    public string DeclaredMapType { get; internal init; } = "";

    /// <summary>Default of the schema as JSON text, or null.</summary>
    public string? Default { get; internal init; }

    /// <summary>True where strategic merge patch merges the list or map.</summary>
    public bool PatchMerges => HasStrategy("merge");

    /// <summary>True where strategic merge patch replaces the object.</summary>
    public bool PatchReplaces => HasStrategy("replace");

    /// <summary>True where <c>$retainKeys</c> applies.</summary>
    public bool PatchRetainsKeys => HasStrategy("retainKeys");

    /// <summary>How server-side apply treats a list.</summary>
    public ListType ListType => DeclaredListType switch
    {
        "set" => ListType.Set,
        "map" => ListType.Map,
        _ => ListType.Atomic,
    };

    /// <summary>True where server-side apply owns the map or object as a whole.</summary>
    public bool IsAtomicMap => DeclaredMapType == "atomic";

    private bool HasStrategy(string name) => PatchStrategy == name
        || (PatchStrategy.Contains(',', StringComparison.Ordinal) && PatchStrategy.Split(',').Contains(name));
}
