using System.Text.Json;
using System.Text.Json.Nodes;

namespace Podhost.Api.CustomResources;

/// <summary>One node of a structural schema (<c>openAPIV3Schema</c> of a CustomResourceDefinition), read once. Immutable.</summary>
/// <remarks>https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema</remarks>
public sealed class SchemaNode
{
    private static readonly Dictionary<string, SchemaNode> None = [];

    private SchemaNode(JsonObject source) => Source = source;

    /// <summary>The schema as it was written.</summary>
    public JsonObject Source { get; }

    /// <summary>object, array, string, integer, number, boolean; empty where anything is allowed or only other rules say.</summary>
    public string Type { get; private init; } = "";

    /// <summary>Fields of an object.</summary>
    public IReadOnlyDictionary<string, SchemaNode> Properties { get; private init; } = None;

    /// <summary>Schema of an array's items, or null.</summary>
    public SchemaNode? Items { get; private init; }

    /// <summary>Schema of values under free keys; null where there is none.</summary>
    public SchemaNode? AdditionalProperties { get; private init; }

    /// <summary>True where free keys are declared, by a schema or by <c>additionalProperties: true</c>.</summary>
    public bool AllowsFreeKeys { get; private init; }

    /// <summary>True where null is a value.</summary>
    public bool Nullable { get; private init; }

    /// <summary>x-kubernetes-preserve-unknown-fields.</summary>
    public bool PreservesUnknown { get; private init; }

    /// <summary>x-kubernetes-embedded-resource: apiVersion, kind and metadata belong to it.</summary>
    public bool IsEmbeddedResource { get; private init; }

    /// <summary>x-kubernetes-int-or-string.</summary>
    public bool IsIntOrString { get; private init; }

    /// <summary>x-kubernetes-list-type: atomic, set, map or empty.</summary>
    public string ListType { get; private init; } = "";

    /// <summary>x-kubernetes-list-map-keys.</summary>
    public IReadOnlyList<string> ListMapKeys { get; private init; } = [];

    /// <summary>x-kubernetes-map-type: atomic, granular or empty.</summary>
    public string MapType { get; private init; } = "";

    /// <summary>The default of a field, or null. Not to be changed: copy it.</summary>
    public JsonNode? Default { get; private init; }

    /// <summary>Fields that must be there.</summary>
    public IReadOnlyList<string> Required { get; private init; } = [];

    /// <summary>Rules for values.</summary>
    public ValueRules Rules { get; private init; } = ValueRules.None;

    /// <summary>Reads a schema and all below it. What is not understood is left out: the definition's validation has judged it before.</summary>
    public static SchemaNode Read(JsonObject schema) => new(schema)
    {
        Type = Text(schema, "type"),
        Properties = schema["properties"] is JsonObject fields
            ? fields.Where(f => f.Value is JsonObject).ToDictionary(f => f.Key, f => Read((JsonObject)f.Value!), StringComparer.Ordinal)
            : None,
        Items = schema["items"] is JsonObject items ? Read(items) : null,
        AdditionalProperties = schema["additionalProperties"] is JsonObject free ? Read(free) : null,
        AllowsFreeKeys = schema["additionalProperties"] is JsonObject || Flag(schema, "additionalProperties"),
        Nullable = Flag(schema, "nullable"),
        PreservesUnknown = Flag(schema, "x-kubernetes-preserve-unknown-fields"),
        IsEmbeddedResource = Flag(schema, "x-kubernetes-embedded-resource"),
        IsIntOrString = Flag(schema, "x-kubernetes-int-or-string"),
        ListType = Text(schema, "x-kubernetes-list-type"),
        ListMapKeys = Strings(schema, "x-kubernetes-list-map-keys"),
        MapType = Text(schema, "x-kubernetes-map-type"),
        Default = schema["default"],
        Required = Strings(schema, "required"),
        Rules = ValueRules.Read(schema),
    };

    /// <summary>The schema of a field: declared, or that of free keys; null where the field is not known.</summary>
    public SchemaNode? Member(string name) => Properties.GetValueOrDefault(name) ?? AdditionalProperties;

    internal static string Text(JsonObject obj, string name) =>
        obj[name] is JsonValue v && v.TryGetValue(out string? text) ? text : "";

    internal static bool Flag(JsonObject obj, string name) => obj[name] is JsonValue v && v.GetValueKind() == JsonValueKind.True;

    internal static string[] Strings(JsonObject obj, string name) =>
        obj[name] is JsonArray list ? [.. list.OfType<JsonValue>().Where(v => v.GetValueKind() == JsonValueKind.String).Select(v => v.GetValue<string>())] : [];
}
