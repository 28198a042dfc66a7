using System.Text.Json.Nodes;
using Podhost.Api.CustomResources;
using Podhost.Api.Resources;

namespace Podhost.Api.OpenApi;

/// <summary>Schemas of custom kinds as the documents show them. Pure; descriptions of metadata are those that all kinds have.</summary>
/// <remarks>Source: apiextensions-apiserver pkg/controller/openapi/builder and pkg/controller/openapi/v2.</remarks>
internal static class CustomSchemaDocument
{
    public const string ObjectMeta = KindNames.Meta + "ObjectMeta";
    public const string ListMeta = KindNames.Meta + "ListMeta";

    private const string ApiVersionText = "APIVersion defines the versioned schema of this representation of an object. "
        + "Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: "
        + "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources";

    private const string KindText = "Kind is a string value representing the REST resource this object represents. "
        + "Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: "
        + "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds";

    private const string MetadataText = "Standard object's metadata. More info: "
        + "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

    private const string ListMetadataText = "Standard list metadata. More info: "
        + "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds";

    // What version 2 cannot say of a value; it says less then.
    private static readonly string[] NotInV2 = ["allOf", "anyOf", "oneOf", "not"];
    private static readonly string[] Structure = ["items", "additionalProperties", "properties", "required"];

    /// <summary>The schema of an object.</summary>
    public static JsonObject OfObject(ResourceInfo resource, Dialect dialect)
    {
        var schema = resource.Custom!.Schema?.Source;
        var isOpen = schema is null || (dialect == Dialect.V2 && resource.Custom.Schema!.PreservesUnknown);
        var result = isOpen ? new JsonObject { ["type"] = "object" } : Translate((JsonObject)schema!.DeepClone(), dialect);
        AddTypeMeta(result, dialect);
        AddKind(result, resource, resource.Kind);
        return result;
    }

    /// <summary>The schema of a list of objects.</summary>
    public static JsonObject OfList(ResourceInfo resource, Dialect dialect)
    {
        var result = new JsonObject
        {
            ["description"] = $"{resource.ListKind} is a list of {resource.Kind}",
            ["type"] = "object",
            ["required"] = new JsonArray("items"),
            ["properties"] = new JsonObject
            {
                ["apiVersion"] = Text(ApiVersionText),
                ["items"] = new JsonObject
                {
                    ["description"] = $"List of {resource.Plural}. More info: "
                        + "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md",
                    ["type"] = "array",
                    ["items"] = new JsonObject { ["$ref"] = Prefix(dialect) + resource.SchemaName },
                },
                ["kind"] = Text(KindText),
                ["metadata"] = Reference(ListMeta, ListMetadataText, dialect),
            },
        };
        AddKind(result, resource, resource.ListKind);
        return result;
    }

    private static JsonObject Translate(JsonObject schema, Dialect dialect)
    {
        if (dialect == Dialect.V2)
        {
            Simplify(schema);
        }

        foreach (var child in Children(schema).ToList())
        {
            Translate(child, dialect);
        }

        if (SchemaNode.Flag(schema, "x-kubernetes-embedded-resource"))
        {
            AddTypeMeta(schema, dialect);
        }

        return schema;
    }

    private static void Simplify(JsonObject schema)
    {
        foreach (var name in NotInV2)
        {
            schema.Remove(name);
        }

        var isNullable = SchemaNode.Flag(schema, "nullable");
        if (isNullable)
        {
            schema.Remove("nullable");
            schema.Remove("type");
        }

        if (isNullable || SchemaNode.Flag(schema, "x-kubernetes-preserve-unknown-fields"))
        {
            foreach (var name in Structure)
            {
                schema.Remove(name);
            }
        }
    }

    private static IEnumerable<JsonObject> Children(JsonObject schema) =>
        (schema["properties"] as JsonObject ?? []).Select(p => p.Value)
        .Append(schema["items"]).Append(schema["additionalProperties"])
        .OfType<JsonObject>();

    private static void AddTypeMeta(JsonObject schema, Dialect dialect)
    {
        if (schema["properties"] is not JsonObject properties)
        {
            schema["properties"] = properties = [];
        }

        properties["apiVersion"] = Text(ApiVersionText);
        properties["kind"] = Text(KindText);
        properties["metadata"] = Reference(ObjectMeta, MetadataText, dialect);
    }

    private static void AddKind(JsonObject schema, ResourceInfo resource, string kind) =>
        schema["x-kubernetes-group-version-kind"] = new JsonArray(
            new JsonObject { ["group"] = resource.Group, ["kind"] = kind, ["version"] = resource.Version });

    private static JsonObject Text(string description) => new() { ["description"] = description, ["type"] = "string" };

    private static JsonObject Reference(string type, string description, Dialect dialect) => dialect == Dialect.V2
        ? new() { ["description"] = description, ["$ref"] = Prefix(dialect) + type }
        : new() { ["description"] = description, ["allOf"] = new JsonArray(new JsonObject { ["$ref"] = Prefix(dialect) + type }) };

    private static string Prefix(Dialect dialect) => dialect == Dialect.V2 ? "#/definitions/" : "#/components/schemas/";
}
