using System.Globalization;
using System.Text.Json.Nodes;
using Podhost.Api.Validation;

namespace Podhost.Api.CustomResources;

/// <summary>Lists whose items are told apart by their value (set) or by keys (map).</summary>
internal static class ListKeys
{
    /// <summary>Faults of items that occur twice, in a value and all below it.</summary>
    /// <remarks>Upstream: apiextensions-apiserver pkg/apiserver/schema/listtype.</remarks>
    public static IEnumerable<FieldError> Duplicates(SchemaNode schema, JsonNode? value, string path)
    {
        switch (value)
        {
            case JsonObject obj:
                return obj.SelectMany(p => schema.Member(p.Key) is { } field
                    ? Duplicates(field, p.Value, path.Length == 0 ? p.Key : $"{path}.{p.Key}") : []);
            case JsonArray list:
                return InList(schema, list, path).Concat(schema.Items is { } items
                    ? list.SelectMany((item, i) => Duplicates(items, item, At(path, i))) : []);
            default:
                return [];
        }
    }

    /// <summary>Finds the item of an older list that an item of a newer one continues; null where lists have no keys.</summary>
    public static Func<JsonNode?, int, JsonNode?>? Correlate(SchemaNode schema, JsonArray old)
    {
        if (schema.ListType != "map")
        {
            return null;
        }

        var byKey = old.OfType<JsonObject>().GroupBy(i => KeyOf(schema, i), StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.First(), StringComparer.Ordinal);
        return (item, _) => item is JsonObject obj ? byKey.GetValueOrDefault(KeyOf(schema, obj)) : null;
    }

    private static IEnumerable<FieldError> InList(SchemaNode schema, JsonArray list, string path)
    {
        if (schema.ListType is not ("set" or "map"))
        {
            yield break;
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < list.Count; i++)
        {
            var key = schema.ListType == "map" && list[i] is JsonObject obj ? KeyOf(schema, obj) : list[i]?.ToJsonString() ?? "null";
            if (!seen.Add(key))
            {
                yield return new FieldError(At(path, i), "FieldValueDuplicate", "Duplicate value: " + key);
            }
        }
    }

    private static string KeyOf(SchemaNode schema, JsonObject item) => new JsonObject(schema.ListMapKeys
        .Where(item.ContainsKey).Order(StringComparer.Ordinal).Select(k => KeyValuePair.Create(k, item[k]?.DeepClone()))).ToJsonString();

    private static string At(string path, int index) => string.Create(CultureInfo.InvariantCulture, $"{path}[{index}]");
}
