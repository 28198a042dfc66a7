using System.Text.Json.Nodes;
using Podhost.Api.Errors;
using Podhost.Api.Schema;

namespace Podhost.Api.FieldManagement;

/// <summary>The steps of paths in the form of fieldsV1.</summary>
internal static class PathStep
{
    public static string Field(string name) => "f:" + name;

    /// <summary>The step to an item of a set or of a list of type map.</summary>
    /// <exception cref="ApiException">400: a key is missing, or an item of a set is no scalar.</exception>
    public static string Item(SchemaScope list, JsonNode? item, string path)
    {
        if (list.Field?.ListType == ListType.Set)
        {
            return item is JsonValue ? "v:" + item.ToJsonString(StepJson.Options) : throw Fault(path, "set items must be scalars");
        }

        if (item is not JsonObject obj)
        {
            throw Fault(path, "associative list without keys has an element that's not a map type");
        }

        var keys = new JsonObject();
        foreach (var key in list.Field!.ListMapKeys.Order(StringComparer.Ordinal))
        {
            keys[key] = obj[key]?.DeepClone() ?? DefaultOf(list, key)
                ?? throw Fault(path, $"associative list with keys has an element that omits key field \"{key}\" (and doesn't have default value)");
        }

        return "k:" + keys.ToJsonString(StepJson.Options);
    }

    /// <summary>As messages print a step: <c>.name</c>, <c>[name="a"]</c>, <c>[="x"]</c>, <c>[0]</c>.</summary>
    public static string Print(string step) => step switch
    {
        ['f', ':', .. var name] => "." + name,
        ['v', ':', .. var value] => $"[={value}]",
        ['i', ':', .. var index] => $"[{index}]",
        ['k', ':', .. var keys] when JsonNode.Parse(keys) is JsonObject obj =>
            "[" + string.Join(',', obj.Select(k => $"{k.Key}={k.Value?.ToJsonString(StepJson.Options) ?? "null"}")) + "]",
        _ => step,
    };

    /// <summary>The canonical form of a step that was read, or null where it is malformed.</summary>
    public static string? Canonical(string step)
    {
        try
        {
            return step switch
            {
                ['f', ':', ..] or ['i', ':', ..] => step,
                ['v', ':', .. var value] => "v:" + (JsonNode.Parse(value)?.ToJsonString(StepJson.Options) ?? "null"),
                ['k', ':', .. var keys] when JsonNode.Parse(keys) is JsonObject obj => "k:" + new JsonObject(
                    obj.OrderBy(k => k.Key, StringComparer.Ordinal).Select(k => KeyValuePair.Create(k.Key, k.Value?.DeepClone())))
                    .ToJsonString(StepJson.Options),
                _ => null,
            };
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }

    public static ApiException Fault(string path, string message) =>
        ApiException.BadRequest($"failed to create typed patch object: {(path.Length == 0 ? "." : path)}: {message}");

    private static JsonNode? DefaultOf(SchemaScope list, string key) =>
        list.Item().Value?.Type?.Field(key)?.Default is { } text ? JsonNode.Parse(text) : null;
}
