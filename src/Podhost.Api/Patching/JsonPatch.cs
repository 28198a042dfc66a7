using System.Text.Json.Nodes;
using Podhost.Api.Errors;

namespace Podhost.Api.Patching;

/// <summary>RFC 6902.</summary>
public static class JsonPatch
{
    /// <summary>The most operations of one patch, as upstream bounds them.</summary>
    public const int MaxOperations = 10_000;

    // "copy" can double a document with each operation.
    private const int MaxCopiedNodes = 1_000_000;

    /// <summary>Applies all operations in order and returns a new document; the arguments stay as they are.</summary>
    /// <exception cref="ApiException">400: malformed patch; 413: too many operations; 422: an operation does not apply.</exception>
    public static JsonNode? Apply(JsonNode original, JsonArray patch)
    {
        if (patch.Count > MaxOperations)
        {
            throw ApiException.TooLarge($"The allowed maximum operations in a JSON patch is {MaxOperations}, got {patch.Count}");
        }

        var document = original.DeepClone();
        var copied = 0;
        foreach (var item in patch)
        {
            var operation = JsonPatchOperation.Parse(item);
            if (operation.Name == "copy" && (copied += Size(document, operation.From)) > MaxCopiedNodes)
            {
                throw ApiException.TooLarge($"the copies of the JSON patch exceed {MaxCopiedNodes} values");
            }

            document = ApplyOne(document, operation);
        }

        return document;
    }

    private static JsonNode? ApplyOne(JsonNode? document, JsonPatchOperation operation)
    {
        switch (operation.Name)
        {
            case "add":
                return Add(document, operation.Path, operation.Value?.DeepClone(), operation);
            case "remove":
                return Remove(document, operation.Path, operation);
            case "replace":
                return Replace(document, operation);
            case "move":
                var moved = Get(document, operation.From, operation)?.DeepClone();
                return Add(Remove(document, operation.From, operation), operation.Path, moved, operation);
            case "copy":
                return Add(document, operation.Path, Get(document, operation.From, operation)?.DeepClone(), operation);
            default:
                return JsonNode.DeepEquals(Get(document, operation.Path, operation), operation.Value)
                    ? document
                    : throw operation.Fails("the value differs");
        }
    }

    private static JsonNode? Add(JsonNode? document, string[] path, JsonNode? value, JsonPatchOperation operation)
    {
        if (path.Length == 0)
        {
            return value;
        }

        switch (Get(document, path[..^1], operation))
        {
            case JsonObject obj:
                obj[path[^1]] = value;
                return document;
            case JsonArray list when path[^1] == "-":
                list.Add(value);
                return document;
            case JsonArray list when JsonPointer.TryIndex(path[^1], list.Count, out var index):
                list.Insert(index, value);
                return document;
            case JsonArray:
                throw operation.Fails($"index {path[^1]} is out of bounds");
            default:
                throw operation.Fails("the parent is neither object nor list");
        }
    }

    private static JsonNode? Remove(JsonNode? document, string[] path, JsonPatchOperation operation)
    {
        if (path.Length == 0)
        {
            return null;
        }

        switch (Get(document, path[..^1], operation))
        {
            case JsonObject obj when obj.Remove(path[^1]):
                return document;
            case JsonArray list when JsonPointer.TryIndex(path[^1], list.Count - 1, out var index):
                list.RemoveAt(index);
                return document;
            default:
                throw operation.Fails("there is no such value");
        }
    }

    private static JsonNode? Replace(JsonNode? document, JsonPatchOperation operation)
    {
        var value = operation.Value?.DeepClone();
        if (operation.Path.Length == 0)
        {
            return value;
        }

        switch (Get(document, operation.Path[..^1], operation))
        {
            case JsonObject obj when obj.ContainsKey(operation.Path[^1]):
                obj[operation.Path[^1]] = value;
                return document;
            case JsonArray list when JsonPointer.TryIndex(operation.Path[^1], list.Count - 1, out var index):
                list[index] = value;
                return document;
            default:
                throw operation.Fails("there is no such value");
        }
    }

    private static JsonNode? Get(JsonNode? document, string[] path, JsonPatchOperation operation) =>
        JsonPointer.TryGet(document, path, out var node) ? node : throw operation.Fails("there is no such value");

    private static int Size(JsonNode? document, string[] path) =>
        JsonPointer.TryGet(document, path, out var node) ? Count(node) : 0;

    private static int Count(JsonNode? node) => node switch
    {
        JsonObject obj => 1 + obj.Sum(p => Count(p.Value)),
        JsonArray list => 1 + list.Sum(Count),
        _ => 1,
    };
}
