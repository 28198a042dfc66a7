using System.Text.Json;

namespace Podhost.Api.OpenApi;

/// <summary>Schemas as the message openapi.v2.Schema.</summary>
internal static class GnosticSchemaEncoder
{
    public static void Write(ProtoWriter w, JsonElement schema)
    {
        w.String(1, GnosticEncoder.Text(schema, "$ref"));
        w.String(2, GnosticEncoder.Text(schema, "format"));
        w.String(4, GnosticEncoder.Text(schema, "description"));
        if (schema.TryGetProperty("default", out var value))
        {
            w.Message(5, any => any.String(2, value.GetRawText()));
        }

        if (schema.TryGetProperty("required", out var required))
        {
            foreach (var name in required.EnumerateArray())
            {
                w.String(19, name.GetString());
            }
        }

        if (schema.TryGetProperty("additionalProperties", out var additional))
        {
            w.Message(21, item => item.Message(1, s => Write(s, additional)));
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
}
