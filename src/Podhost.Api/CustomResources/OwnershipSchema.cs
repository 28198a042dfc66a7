using Podhost.Api.Schema;

namespace Podhost.Api.CustomResources;

/// <summary>What server-side apply has to know of a custom kind, in the terms of the catalog.</summary>
/// <remarks>What a schema leaves open is owned as it looks: objects field by field, everything else as a whole.</remarks>
internal static class OwnershipSchema
{
    private const string Metadata = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
    private static readonly SchemaValue Text = new(SchemaKind.String);
    private static readonly SchemaValue Deduced = new(SchemaKind.Deduced);

    /// <summary>The type of a whole custom object.</summary>
    /// <param name="name">Name of the type.</param>
    /// <param name="schema">Its schema, or null where everything is left open.</param>
    public static SchemaType Of(string name, SchemaNode? schema) => TypeOf(name, schema, isResource: true, schema is null || schema.PreservesUnknown);

    private static SchemaType TypeOf(string name, SchemaNode? schema, bool isResource, bool isOpen)
    {
        var fields = (schema?.Properties ?? new Dictionary<string, SchemaNode>())
            .Where(p => !(isResource && p.Key is "apiVersion" or "kind" or "metadata"))
            .Select(p => FieldOf(name, p.Key, p.Value)).ToList();
        if (isResource)
        {
            fields.Add(new SchemaField("apiVersion", Text));
            fields.Add(new SchemaField("kind", Text));
            fields.Add(new SchemaField("metadata", new SchemaValue(SchemaKind.Object, type: new Lazy<SchemaType>(() => SchemaCatalog.Get(Metadata)))));
        }

        return new SchemaType(name, fields) { Rest = isOpen ? Deduced : null, IsAtomic = schema?.MapType == "atomic", IsUnstructured = true };
    }

    private static SchemaField FieldOf(string owner, string name, SchemaNode schema) => new(name, ValueOf($"{owner}.{name}", schema))
    {
        DeclaredListType = schema.ListType,
        ListMapKeys = schema.ListMapKeys,
        DeclaredMapType = schema.MapType,
        Default = schema.Default?.ToJsonString(),
    };

    private static SchemaValue ValueOf(string name, SchemaNode schema) => schema.Type switch
    {
        "array" => new SchemaValue(SchemaKind.List, item: schema.Items is { } items ? ValueOf(name, items) : Deduced),
        "object" when schema.Properties.Count > 0 || schema.IsEmbeddedResource => new SchemaValue(SchemaKind.Object, type: new Lazy<SchemaType>(
            () => TypeOf(name, schema, schema.IsEmbeddedResource, schema.PreservesUnknown))),
        "object" when schema.AdditionalProperties is { } free => new SchemaValue(SchemaKind.Map, item: ValueOf(name, free)),
        "object" => Deduced,
        "string" => Text,
        "boolean" => new SchemaValue(SchemaKind.Boolean),
        "integer" => new SchemaValue(SchemaKind.Integer, "int64"),
        "number" => new SchemaValue(SchemaKind.Number, "double"),
        _ => schema.IsIntOrString ? new SchemaValue(SchemaKind.IntOrString) : Deduced,
    };
}
