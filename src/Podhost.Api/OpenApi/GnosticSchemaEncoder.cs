using System.Text.Json;

namespace Podhost.Api.OpenApi;

/// <summary>Schemas as the message openapi.v2.Schema.</summary>
internal static class GnosticSchemaEncoder
{
    public static void Write(ProtoWriter w, JsonElement schema)
    {
        w.String(1, GnosticEncoder.Text(schema, "$ref"));
        w.String(2, GnosticEncoder.Text(schema, "format"));
        w.String(3, GnosticEncoder.Text(schema, "title"));
        w.String(4, GnosticEncoder.Text(schema, "description"));
        if (schema.TryGetProperty("default", out var value))
        {
            w.Message(5, any => any.String(2, value.GetRawText()));
        }

        WriteBounds(w, schema);
        if (schema.TryGetProperty("required", out var required))
        {
            foreach (var name in required.EnumerateArray())
            {
                w.String(19, name.GetString());
            }
        }

        if (schema.TryGetProperty("enum", out var values))
        {
            foreach (var allowed in values.EnumerateArray())
            {
                w.Message(20, any => any.String(2, allowed.GetRawText()));
            }
        }

        if (schema.TryGetProperty("additionalProperties", out var additional))
        {
            w.Message(21, item => WriteAdditional(item, additional));
        }

        if (GnosticEncoder.Text(schema, "type") is { } type)
        {
            w.Message(22, item => item.String(1, type));
        }

        if (schema.TryGetProperty("items", out var items))
        {
            w.Message(23, item => item.Message(1, s => Write(s, items)));
        }

        if (schema.TryGetProperty("properties", out var properties))
        {
            w.Message(25, p => GnosticEncoder.Named(p, 1, properties, Write));
        }

        GnosticEncoder.Extensions(w, 31, schema);
    }

    private static void WriteAdditional(ProtoWriter w, JsonElement additional)
    {
        if (additional.ValueKind == JsonValueKind.Object)
        {
            w.Message(1, s => Write(s, additional));
        }
        else
        {
            w.Boolean(2, additional.ValueKind == JsonValueKind.True);
        }
    }

    // Field numbers as in the message, which is why they are not in the order of the names.
    private static void WriteBounds(ProtoWriter w, JsonElement schema)
    {
        foreach (var (field, name) in new[] { (6, "multipleOf"), (7, "maximum"), (9, "minimum") })
        {
            if (schema.TryGetProperty(name, out var bound))
            {
                w.Double(field, bound.GetDouble());
            }
        }

        foreach (var (field, name) in new[] { (8, "exclusiveMaximum"), (10, "exclusiveMinimum"), (16, "uniqueItems") })
        {
            w.Boolean(field, schema.TryGetProperty(name, out var flag) && flag.ValueKind == JsonValueKind.True);
        }

        foreach (var (field, name) in new[]
        {
            (11, "maxLength"), (12, "minLength"), (14, "maxItems"), (15, "minItems"), (17, "maxProperties"), (18, "minProperties"),
        })
        {
            if (schema.TryGetProperty(name, out var bound))
            {
                w.Integer(field, (long)bound.GetDouble());
            }
        }

        w.String(13, GnosticEncoder.Text(schema, "pattern"));
    }
}
