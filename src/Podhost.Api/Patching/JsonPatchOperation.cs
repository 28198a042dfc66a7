using System.Text.Json.Nodes;
using Podhost.Api.Errors;

namespace Podhost.Api.Patching;

/// <summary>One operation of a JSON patch, its members checked.</summary>
internal sealed record JsonPatchOperation(string Name, string[] Path, string[] From, JsonNode? Value, string Pointer)
{
    public static JsonPatchOperation Parse(JsonNode? node)
    {
        var obj = node as JsonObject ?? throw PatchFailure.Malformed("an operation of a JSON patch must be an object");
        var name = Text(obj, "op");
        if (name is not ("add" or "remove" or "replace" or "move" or "copy" or "test"))
        {
            throw PatchFailure.Malformed($"unexpected kind of JSON patch operation: \"{name}\"");
        }

        if (name is "add" or "replace" or "test" && !obj.ContainsKey("value"))
        {
            throw PatchFailure.Malformed($"the JSON patch operation {name} needs a value");
        }

        var pointer = Text(obj, "path");
        var from = name is "move" or "copy" ? JsonPointer.Parse(Text(obj, "from")) : [];
        var path = JsonPointer.Parse(pointer);
        if (name == "move" && path.Length > from.Length && path.AsSpan(0, from.Length).SequenceEqual(from))
        {
            throw PatchFailure.Malformed("a value cannot be moved into itself: " + pointer);
        }

        return new JsonPatchOperation(name, path, from, obj["value"], pointer);
    }

    public ApiException Fails(string why) => PatchFailure.DoesNotApply(
        Name == "test" ? $"testing path {Pointer} failed: {why}" : $"{Name} operation does not apply: doc is missing path: \"{Pointer}\": {why}");

    private static string Text(JsonObject obj, string name) => obj[name] is JsonValue v && v.TryGetValue(out string? s)
        ? s
        : throw PatchFailure.Malformed($"a JSON patch operation needs the string member \"{name}\"");
}
