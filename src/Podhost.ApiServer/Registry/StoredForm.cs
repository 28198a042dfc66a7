using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Podhost.ApiServer.Registry;

/// <summary>The bytes of an object in the store: kind, apiVersion and metadata first, and no resourceVersion, which is the store's revision.</summary>
internal static class StoredForm
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static byte[] Encode(JsonObject obj)
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            writer.WriteStartObject();
            Write(writer, "kind", obj["kind"]);
            Write(writer, "apiVersion", obj["apiVersion"]);
            writer.WritePropertyName("metadata");
            WriteMetadata(writer, obj["metadata"] as JsonObject ?? []);
            foreach (var (name, value) in obj)
            {
                if (name is not ("kind" or "apiVersion" or "metadata"))
                {
                    Write(writer, name, value);
                }
            }

            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteMetadata(Utf8JsonWriter writer, JsonObject metadata)
    {
        writer.WriteStartObject();
        foreach (var (name, value) in metadata)
        {
            if (name != "resourceVersion")
            {
                Write(writer, name, value);
            }
        }

        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, string name, JsonNode? value)
    {
        if (value is null)
        {
            return;
        }

        writer.WritePropertyName(name);
        value.WriteTo(writer);
    }
}
