using System.Text.Json.Nodes;
using Podhost.Api.CustomResources;

namespace Podhost.Api.Validation.Extensions;

/// <summary>Defaults of a schema: they must be values that the schema itself allows, and that pruning leaves as they are.</summary>
internal static class SchemaDefaultRules
{
    public static void Check(Field schema)
    {
        if (schema.Node is not JsonObject json)
        {
            return;
        }

        if (schema["default"].Node is { } value)
        {
            CheckValue(schema["default"], SchemaNode.Read(json), value);
        }

        foreach (var (_, field) in schema["properties"].Entries)
        {
            Check(field);
        }

        Check(schema["items"]);
        Check(schema["additionalProperties"]);
    }

    private static void CheckValue(Field field, SchemaNode schema, JsonNode value)
    {
        var pruned = value.DeepClone();
        if (pruned is JsonObject obj)
        {
            Pruning.Prune(obj, schema);
        }

        if (!JsonNode.DeepEquals(pruned, value))
        {
            field.Invalid("must not have unknown fields");
            return;
        }

        CustomDefaults.Apply(pruned, schema);
        foreach (var fault in CustomValidator.Validate(schema, pruned, field.Path))
        {
            field.Add(fault);
        }
    }
}
