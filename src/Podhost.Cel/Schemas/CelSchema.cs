using System.Text.Json.Nodes;

namespace Podhost.Cel.Schemas;

/// <summary>The part of an OpenAPI structural schema that expressions see. Children are read when they are first asked for.</summary>
public sealed class CelSchema
{
    private readonly Dictionary<string, CelSchema> _children = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Func<CelSchema>> _properties = new(StringComparer.Ordinal);
    private readonly Lazy<CelSchema?> _items;
    private readonly Lazy<CelSchema?> _additional;

    private CelSchema(Func<CelSchema?>? items = null, Func<CelSchema?>? additional = null)
    {
        _items = new Lazy<CelSchema?>(items ?? (() => null));
        _additional = new Lazy<CelSchema?>(additional ?? (() => null));
    }

    /// <summary>A schema about which nothing is known.</summary>
    public static CelSchema Untyped { get; } = new();

    /// <summary>object, array, string, integer, number, boolean, or empty.</summary>
    public string Type { get; init; } = "";

    /// <summary>Format of a string.</summary>
    public string Format { get; init; } = "";

    /// <summary>True where null is a value.</summary>
    public bool IsNullable { get; init; }

    /// <summary>x-kubernetes-int-or-string.</summary>
    public bool IsIntOrString { get; init; }

    /// <summary>x-kubernetes-preserve-unknown-fields.</summary>
    public bool PreservesUnknownFields { get; init; }

    /// <summary>x-kubernetes-embedded-resource.</summary>
    public bool IsEmbeddedResource { get; init; }

    /// <summary>x-kubernetes-list-type.</summary>
    public string ListType { get; init; } = "";

    /// <summary>x-kubernetes-list-map-keys.</summary>
    public IReadOnlyList<string> ListMapKeys { get; init; } = [];

    /// <summary>maxLength of a string, maxItems of a list, maxProperties of a map.</summary>
    public long? MaxLength { get; init; }

    /// <summary>Most items of a list.</summary>
    public long? MaxItems { get; init; }

    /// <summary>Most entries of a map.</summary>
    public long? MaxProperties { get; init; }

    /// <summary>Names of required properties.</summary>
    public IReadOnlySet<string> Required { get; init; } = new HashSet<string>();

    /// <summary>Values of an enumeration of strings.</summary>
    public IReadOnlyList<string> EnumTexts { get; init; } = [];

    /// <summary>True where the schema has a default.</summary>
    public bool HasDefault { get; init; }

    /// <summary>Schema of a list's items, or null.</summary>
    public CelSchema? Items => _items.Value;

    /// <summary>Schema of a map's values, or null.</summary>
    public CelSchema? AdditionalProperties => _additional.Value;

    /// <summary>Names of the properties.</summary>
    public IEnumerable<string> PropertyNames => _properties.Keys;

    /// <summary>True where nothing is known of the value.</summary>
    public bool IsUntyped => Type.Length == 0 && !IsIntOrString;

    /// <summary>The schema of a property, or null.</summary>
    public CelSchema? Property(string name)
    {
        lock (_children)
        {
            if (_children.TryGetValue(name, out var known))
            {
                return known;
            }

            return _properties.TryGetValue(name, out var make) ? _children[name] = make() : null;
        }
    }

    /// <summary>The schema of a member of an object or map; where unknown fields are kept, they are untyped.</summary>
    internal CelSchema? Child(string name) => AdditionalProperties ?? Property(name) ?? (IsUntyped ? Untyped : null);

    /// <summary>Reads <c>openAPIV3Schema</c>, or a part of it.</summary>
    public static CelSchema FromJson(JsonObject json) => new CelSchema(
        () => json["items"] is JsonObject items ? FromJson(items) : null,
        () => json["additionalProperties"] is JsonObject additional ? FromJson(additional) : null)
    {
        Type = Text(json, "type"),
        Format = Text(json, "format"),
        IsNullable = Flag(json, "nullable"),
        IsIntOrString = Flag(json, "x-kubernetes-int-or-string"),
        PreservesUnknownFields = Flag(json, "x-kubernetes-preserve-unknown-fields"),
        IsEmbeddedResource = Flag(json, "x-kubernetes-embedded-resource"),
        ListType = Text(json, "x-kubernetes-list-type"),
        ListMapKeys = Texts(json, "x-kubernetes-list-map-keys"),
        MaxLength = Number(json, "maxLength"),
        MaxItems = Number(json, "maxItems"),
        MaxProperties = Number(json, "maxProperties"),
        Required = Texts(json, "required").ToHashSet(StringComparer.Ordinal),
        EnumTexts = Texts(json, "enum"),
        HasDefault = json["default"] is not null,
    }.WithProperties((json["properties"] as JsonObject)?.Where(p => p.Value is JsonObject)
        .Select(p => KeyValuePair.Create<string, Func<CelSchema>>(p.Key, () => FromJson((JsonObject)p.Value!))) ?? []);

    /// <summary>An object whose properties are made when they are asked for.</summary>
    public static CelSchema Object(IEnumerable<KeyValuePair<string, Func<CelSchema>>> properties, IEnumerable<string> required) =>
        new CelSchema { Type = "object", Required = required.ToHashSet(StringComparer.Ordinal) }.WithProperties(properties);

    /// <summary>A list.</summary>
    public static CelSchema Array(Func<CelSchema> items) => new(items) { Type = "array" };

    /// <summary>A map of strings to values.</summary>
    public static CelSchema Map(Func<CelSchema> values) => new(additional: values) { Type = "object" };

    /// <summary>A scalar of a type and format.</summary>
    public static CelSchema Scalar(string type, string format = "") => new() { Type = type, Format = format };

    /// <summary>A whole number or a string.</summary>
    public static CelSchema IntOrString() => new() { IsIntOrString = true };

    /// <summary>The schema with what every resource has: kind, apiVersion, and name and generateName of metadata.</summary>
    internal CelSchema AsResource()
    {
        var meta = Property("metadata");
        if (Property("kind")?.Type == "string" && Property("apiVersion")?.Type == "string" && meta?.Property("name")?.Type == "string")
        {
            return this;
        }

        var properties = new Dictionary<string, Func<CelSchema>>(_properties, StringComparer.Ordinal)
        {
            ["kind"] = () => Scalar("string"),
            ["apiVersion"] = () => Scalar("string"),
            ["metadata"] = () => Object([new("name", () => Scalar("string")), new("generateName", () => Scalar("string"))], []),
        };
        return new CelSchema(() => Items, () => AdditionalProperties)
        {
            Type = Type,
            Required = Required,
            PreservesUnknownFields = PreservesUnknownFields,
            IsNullable = IsNullable,
        }.WithProperties(properties);
    }

    private CelSchema WithProperties(IEnumerable<KeyValuePair<string, Func<CelSchema>>> properties)
    {
        foreach (var (name, make) in properties)
        {
            _properties[name] = make;
        }

        return this;
    }

    private static string Text(JsonObject json, string name) => json[name] is JsonValue v && v.TryGetValue<string>(out var text) ? text : "";

    private static bool Flag(JsonObject json, string name) => json[name] is JsonValue v && v.TryGetValue<bool>(out var flag) && flag;

    private static long? Number(JsonObject json, string name) => json[name] is JsonValue v && v.TryGetValue<long>(out var number) ? number
        : json[name] is JsonValue i && i.TryGetValue<int>(out var small) ? small : null;

    private static List<string> Texts(JsonObject json, string name) =>
        (json[name] as JsonArray)?.OfType<JsonValue>().Select(v => v.TryGetValue<string>(out var text) ? text : null).OfType<string>().ToList() ?? [];
}
