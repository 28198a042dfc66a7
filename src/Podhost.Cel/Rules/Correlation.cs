using System.Text.Json.Nodes;

namespace Podhost.Cel.Rules;

/// <summary>What a value was before an update, where old and new belong together, and the nearest value above for which that is so.</summary>
internal sealed class Correlation
{
    private readonly JsonNode? _value;
    private readonly JsonNode? _old;
    private readonly bool _isKnown;
    private readonly Correlation? _nearest;
    private bool? _isSame;

    private Correlation(JsonNode? value, JsonNode? old, bool isKnown, Correlation? nearest) => (_value, _old, _isKnown, _nearest) = (value, old, isKnown, nearest);

    /// <summary>Nothing is known: a new object.</summary>
    public static Correlation None { get; } = new(null, null, isKnown: false, null);

    /// <summary>True where an error of this value is none, because the value is what it was.</summary>
    public bool Ratchets => _isKnown ? IsSame : _nearest?.IsSame == true;

    private bool IsSame => _isSame ??= JsonNode.DeepEquals(_value, _old);

    /// <summary>The correlation of a whole object.</summary>
    public static Correlation Of(JsonNode value, JsonNode? old) => old is null ? None : new Correlation(value, old, isKnown: true, null);

    /// <summary>A member of an object or map.</summary>
    public Correlation Member(string name, JsonNode? value)
    {
        if (!_isKnown)
        {
            return this;
        }

        // Old and new are shown in one version: a change of these is not seen.
        if (_nearest is null && name is "apiVersion" or "kind")
        {
            return None;
        }

        return Child(value, _old is JsonObject old && old.TryGetPropertyValue(name, out var before) ? before : null);
    }

    /// <summary>An item of a list; <paramref name="old"/> is the item of the same key, or null.</summary>
    public Correlation Item(JsonNode? value, JsonNode? old) => _isKnown ? Child(value, old) : this;

    private Correlation Child(JsonNode? value, JsonNode? old) => new(value, old, old is not null, this);
}
