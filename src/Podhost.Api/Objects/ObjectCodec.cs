using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Podhost.Api.Objects;

/// <summary>Between bytes, JSON objects and typed models. AOT-clean: models go through KubernetesClient's source-generated metadata.</summary>
public static class ObjectCodec
{
    private static readonly JsonDocumentOptions DocumentOptions = new() { MaxDepth = 128, CommentHandling = JsonCommentHandling.Disallow };

    /// <summary>Parses a JSON object.</summary>
    /// <exception cref="JsonException">The text is no JSON object.</exception>
    public static JsonObject ParseJson(ReadOnlySpan<byte> utf8)
    {
        var node = JsonNode.Parse(utf8, nodeOptions: null, DocumentOptions);
        return node as JsonObject ?? throw new JsonException("the document is not a JSON object");
    }

    /// <summary>UTF-8 JSON of a node.</summary>
    public static byte[] ToUtf8(JsonNode node)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true }))
        {
            node.WriteTo(writer);
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>A typed model of a JSON object.</summary>
    public static T ToModel<T>(JsonNode node) => k8s.KubernetesJson.Deserialize<T>(node)!;

    /// <summary>A typed model of UTF-8 JSON.</summary>
    public static T ToModel<T>(ReadOnlySpan<byte> utf8) => JsonSerializer.Deserialize(utf8, TypeInfo<T>())!;

    /// <summary>UTF-8 JSON of a typed model.</summary>
    /// <remarks>A JsonObject binds to this method rather than to the one for nodes, so nodes are taken here too.</remarks>
    public static byte[] ToUtf8<T>(T model) => model is JsonNode node ? ToUtf8(node) : JsonSerializer.SerializeToUtf8Bytes(model, TypeInfo<T>());

    /// <summary>A JSON object of a typed model.</summary>
    public static JsonObject ToObject<T>(T model) => (JsonObject)JsonSerializer.SerializeToNode(model, TypeInfo<T>())!;

    private static JsonTypeInfo<T> TypeInfo<T>() => (JsonTypeInfo<T>)ModelJson.Options.GetTypeInfo(typeof(T));
}
