using System.Text.Json;
using k8s;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.Client.Requests;

namespace Podhost.Client.Watching;

/// <summary>Reads one line of a watch: <c>{"type":…,"object":…}</c>.</summary>
internal static class WatchLine
{
    /// <exception cref="ApiException">The line is an Error event.</exception>
    /// <exception cref="JsonException">The line is no event.</exception>
    internal static WatchEvent<T> Parse<T>(ReadOnlySpan<byte> utf8, ResourceInfo resource) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        string? type = null;
        ReadOnlySpan<byte> body = default;
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = 128 });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("the line is no watch event");
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("type"u8))
            {
                reader.Read();
                type = reader.GetString();
            }
            else if (reader.ValueTextEquals("object"u8))
            {
                body = JsonSlice.Value(ref reader, utf8);
            }
            else
            {
                reader.Skip();
            }
        }

        if (body.IsEmpty)
        {
            throw new JsonException("the watch event has no object");
        }

        return type switch
        {
            "ADDED" => new(WatchEventKind.Added, ObjectReader.Read<T>(body, resource)),
            "MODIFIED" => new(WatchEventKind.Modified, ObjectReader.Read<T>(body, resource)),
            "DELETED" => new(WatchEventKind.Deleted, ObjectReader.Read<T>(body, resource)),
            "BOOKMARK" => new(WatchEventKind.Bookmark, ObjectReader.Read<T>(body, resource)),
            "ERROR" => throw StatusReader.ReadEvent(body),
            _ => throw new JsonException($"the watch event has the unknown type \"{type}\""),
        };
    }
}
