using System.Text.Json.Nodes;
using Podhost.Api.Schema;

namespace Podhost.Api.Patching;

/// <summary>The order of merged lists, and the directive <c>$setElementOrder</c>.</summary>
internal static class StrategicElementOrder
{
    /// <summary>Applies <c>$setElementOrder/name</c> together with the patch's list of that name, and takes both out of the patch.</summary>
    public static void Apply(SchemaScope scope, JsonObject original, JsonObject patch, string name)
    {
        var directive = Directives.SetElementOrder + name;
        if (StrategicObjectMerge.Detach(patch, directive) is not JsonArray order)
        {
            throw PatchFailure.Malformed("invalid patch format of setElementOrder list");
        }

        var member = scope.Member(name);
        var key = member.Field?.MergeKey ?? "";
        var added = StrategicObjectMerge.Detach(patch, name) as JsonArray;
        CheckOrder(added, order, key, directive);
        var deletion = Directives.DeleteFromPrimitiveList + name;
        if (patch.ContainsKey(deletion))
        {
            var rest = new JsonObject { [deletion] = StrategicObjectMerge.Detach(patch, deletion) };
            StrategicObjectMerge.Merge(scope, original, rest);
        }

        var current = StrategicObjectMerge.Detach(original, name) as JsonArray;
        if (current is null && added is null)
        {
            return;
        }

        var serverOrder = (current ?? []).Select(i => i?.DeepClone()).ToList();
        var merged = added is null ? current! : StrategicListMerge.Merge(Listed(member, name), current ?? [], added);
        original[name] = Order(StrategicListMerge.TakeAll(merged), [.. order], serverOrder, key);
    }

    /// <summary>
    /// The items that <paramref name="patchOrder"/> names in its order, the others in <paramref name="serverOrder"/>, interleaved:
    /// an item goes before the first named one that follows it in the server's order.
    /// </summary>
    public static JsonArray Order(IReadOnlyList<JsonNode?> merged, IReadOnlyList<JsonNode?> patchOrder, IReadOnlyList<JsonNode?> serverOrder, string key)
    {
        var named = Sorted(merged.Where(m => IndexOf(patchOrder, m, key) >= 0), patchOrder, key);
        var others = Sorted(merged.Where(m => IndexOf(patchOrder, m, key) < 0), serverOrder, key);
        var result = new JsonArray();
        while (named.Count > 0 || others.Count > 0)
        {
            var takeOther = named.Count == 0 || (others.Count > 0 && Precedes(others.Peek(), named.Peek(), serverOrder, key));
            result.Add((takeOther ? others : named).Dequeue());
        }

        return result;
    }

    private static Queue<JsonNode?> Sorted(IEnumerable<JsonNode?> items, IReadOnlyList<JsonNode?> order, string key) =>
        new(items.OrderBy(i => IndexOf(order, i, key)));

    private static bool Precedes(JsonNode? left, JsonNode? right, IReadOnlyList<JsonNode?> serverOrder, string key)
    {
        var l = IndexOf(serverOrder, left, key);
        var r = IndexOf(serverOrder, right, key);
        return l >= 0 && r >= 0 && l < r;
    }

    private static int IndexOf(IReadOnlyList<JsonNode?> list, JsonNode? item, string key)
    {
        var wanted = Identity(item, key);
        for (var i = 0; i < list.Count; i++)
        {
            if (JsonNode.DeepEquals(Identity(list[i], key), wanted))
            {
                return i;
            }
        }

        return -1;
    }

    private static JsonNode? Identity(JsonNode? item, string key) => key.Length > 0 && item is JsonObject obj ? obj[key] : item;

    // Every item of the patch must be named, in the same relative order.
    private static void CheckOrder(JsonArray? added, JsonArray order, string key, string directive)
    {
        if (added is null)
        {
            return;
        }

        var named = added.Where(i => i is not JsonObject obj || Directives.PatchOf(obj) is null).ToList();
        IReadOnlyList<JsonNode?> ordered = [.. order];
        var last = -1;
        foreach (var item in named)
        {
            if (key.Length > 0 && item is JsonObject obj && !obj.ContainsKey(key))
            {
                throw Directives.NoMergeKey(obj, key);
            }

            var index = IndexOf(ordered, item, key);
            if (index <= last)
            {
                throw PatchFailure.Malformed(
                    $"The order in patch list:\n{GoFormat.Print(added)}\n doesn't match {directive} list:\n{GoFormat.Print(order)}\n");
            }

            last = index;
        }
    }

    private static SchemaScope Listed(SchemaScope member, string name) => member.Field?.PatchMerges == true
        ? member
        : throw PatchFailure.Malformed($"{Directives.SetElementOrder}{name}: the list is not merged");
}
