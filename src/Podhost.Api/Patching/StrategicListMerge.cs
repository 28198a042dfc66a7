using System.Text.Json.Nodes;
using Podhost.Api.Schema;

namespace Podhost.Api.Patching;

/// <summary>Merges lists whose strategy is merge. Owns and changes both arguments.</summary>
internal static class StrategicListMerge
{
    /// <param name="scope">The scope of the list.</param>
    /// <param name="original">The list as it is.</param>
    /// <param name="patch">The list of the patch.</param>
    public static JsonArray Merge(SchemaScope scope, JsonArray original, JsonArray patch)
    {
        if (original.Concat(patch).Any(i => i is JsonArray))
        {
            throw PatchFailure.DoesNotApply("lists of lists are not supported");
        }

        var serverOrder = original.Select(i => i?.DeepClone()).ToList();
        var merged = original.Concat(patch).Any(i => i is JsonObject)
            ? MergeObjects(scope, original, patch, out var patchOrder)
            : MergeScalars(original, patch, out patchOrder);
        return StrategicElementOrder.Order(merged, patchOrder, serverOrder, scope.Field!.MergeKey);
    }

    private static List<JsonNode?> MergeScalars(JsonArray original, JsonArray patch, out List<JsonNode?> patchOrder)
    {
        patchOrder = TakeAll(patch);
        var merged = new List<JsonNode?>();
        foreach (var item in TakeAll(original).Concat(patchOrder))
        {
            if (!merged.Exists(m => JsonNode.DeepEquals(m, item)))
            {
                merged.Add(item);
            }
        }

        return merged;
    }

    private static List<JsonNode?> MergeObjects(SchemaScope scope, JsonArray original, JsonArray patch, out List<JsonNode?> patchOrder)
    {
        var key = scope.Field!.MergeKey;
        if (key.Length == 0)
        {
            throw PatchFailure.Malformed($"cannot merge lists without merge key for {scope.Field.Name}");
        }

        var (items, isReplaced) = (new List<JsonObject>(), false);
        var merged = TakeAll(original).ConvertAll(i => AsObject(i, "list"));
        foreach (var item in TakeAll(patch).Select(i => AsObject(i, "patch list")))
        {
            switch (Directives.PatchOf(item))
            {
                case null:
                    items.Add(item);
                    break;
                case "delete":
                    merged.RemoveAll(m => HasKey(m, key, KeyOf(item, key)));
                    break;
                case "replace":
                    isReplaced = true;
                    break;
                case "merge":
                    throw PatchFailure.Malformed("merging lists cannot yet be specified in the patch");
                default:
                    throw Directives.Unknown(item);
            }
        }

        if (isReplaced)
        {
            // As it is: a node's addresses have one type several times.
            patchOrder = [];
            return [.. items.Select(i => StrategicObjectMerge.Merge(scope.Item(), [], i))];
        }

        patchOrder = [.. items.Select(i => i.DeepClone())];
        foreach (var item in items)
        {
            MergeItem(scope.Item(), merged, item, key);
        }

        return [.. merged];
    }

    private static void MergeItem(SchemaScope scope, List<JsonObject> merged, JsonObject item, string key)
    {
        var value = KeyOf(item, key);
        var index = merged.FindIndex(m => HasKey(m, key, value));
        if (index >= 0)
        {
            merged[index] = StrategicObjectMerge.Merge(scope, merged[index], item);
        }
        else
        {
            merged.Add(StrategicObjectMerge.Merge(scope, [], item));
        }
    }

    public static List<JsonNode?> TakeAll(JsonArray list)
    {
        var items = list.ToList();
        list.Clear();
        return items;
    }

    private static JsonNode KeyOf(JsonObject item, string key) =>
        item[key]?.DeepClone() ?? throw Directives.NoMergeKey(item, key);

    private static bool HasKey(JsonObject item, string key, JsonNode value) => JsonNode.DeepEquals(item[key], value);

    private static JsonObject AsObject(JsonNode? item, string where) => item as JsonObject
        ?? throw PatchFailure.Malformed($"all items of a {where} with a merge key must be objects, not {GoFormat.Print(item)}");
}
