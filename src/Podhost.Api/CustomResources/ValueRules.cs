using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Podhost.Api.CustomResources;

/// <summary>What a schema demands of a value besides its structure. Bounds are null where none is set.</summary>
public sealed class ValueRules
{
    /// <summary>No demands.</summary>
    public static ValueRules None { get; } = new();

    /// <summary>The values that are allowed, or null for all.</summary>
    public IReadOnlyList<JsonNode?>? Enum { get; private init; }

    /// <summary>Name of a format, for example <c>date-time</c>; empty for none.</summary>
    public string Format { get; private init; } = "";

    /// <summary>The pattern as it was written; empty for none.</summary>
    public string PatternText { get; private init; } = "";

    /// <summary>The pattern, or null.</summary>
    public Regex? Pattern { get; private init; }

    /// <summary>Largest number.</summary>
    public double? Maximum { get; private init; }

    /// <summary>True where <see cref="Maximum"/> itself is too large.</summary>
    public bool ExcludesMaximum { get; private init; }

    /// <summary>Smallest number.</summary>
    public double? Minimum { get; private init; }

    /// <summary>True where <see cref="Minimum"/> itself is too small.</summary>
    public bool ExcludesMinimum { get; private init; }

    /// <summary>The number must be a multiple of it.</summary>
    public double? MultipleOf { get; private init; }

    /// <summary>Most characters of a string.</summary>
    public long? MaxLength { get; private init; }

    /// <summary>Fewest characters of a string.</summary>
    public long? MinLength { get; private init; }

    /// <summary>Most items of an array.</summary>
    public long? MaxItems { get; private init; }

    /// <summary>Fewest items of an array.</summary>
    public long? MinItems { get; private init; }

    /// <summary>Most fields of an object.</summary>
    public long? MaxProperties { get; private init; }

    /// <summary>Fewest fields of an object.</summary>
    public long? MinProperties { get; private init; }

    /// <summary>Schemas that must all hold.</summary>
    public IReadOnlyList<SchemaNode> AllOf { get; private init; } = [];

    /// <summary>Schemas of which at least one must hold.</summary>
    public IReadOnlyList<SchemaNode> AnyOf { get; private init; } = [];

    /// <summary>Schemas of which exactly one must hold.</summary>
    public IReadOnlyList<SchemaNode> OneOf { get; private init; } = [];

    /// <summary>A schema that must not hold, or null.</summary>
    public SchemaNode? Not { get; private init; }

    internal static ValueRules Read(JsonObject schema) => new()
    {
        Enum = schema["enum"] is JsonArray { Count: > 0 } values ? [.. values] : null,
        Format = SchemaNode.Text(schema, "format"),
        PatternText = SchemaNode.Text(schema, "pattern"),
        Pattern = SchemaNode.Text(schema, "pattern") is { Length: > 0 } pattern ? GoPattern.TryCompile(pattern, out _) : null,
        Maximum = Number(schema, "maximum"),
        ExcludesMaximum = SchemaNode.Flag(schema, "exclusiveMaximum"),
        Minimum = Number(schema, "minimum"),
        ExcludesMinimum = SchemaNode.Flag(schema, "exclusiveMinimum"),
        MultipleOf = Number(schema, "multipleOf"),
        MaxLength = Count(schema, "maxLength"),
        MinLength = Count(schema, "minLength"),
        MaxItems = Count(schema, "maxItems"),
        MinItems = Count(schema, "minItems"),
        MaxProperties = Count(schema, "maxProperties"),
        MinProperties = Count(schema, "minProperties"),
        AllOf = Schemas(schema, "allOf"),
        AnyOf = Schemas(schema, "anyOf"),
        OneOf = Schemas(schema, "oneOf"),
        Not = schema["not"] is JsonObject not ? SchemaNode.Read(not) : null,
    };

    private static SchemaNode[] Schemas(JsonObject schema, string name) =>
        schema[name] is JsonArray list ? [.. list.OfType<JsonObject>().Select(SchemaNode.Read)] : [];

    private static double? Number(JsonObject schema, string name) =>
        schema[name] is JsonValue v && v.GetValueKind() == JsonValueKind.Number ? JsonNumbers.ToDouble(v) : null;

    private static long? Count(JsonObject schema, string name) => Number(schema, name) is { } n ? (long)n : null;
}
