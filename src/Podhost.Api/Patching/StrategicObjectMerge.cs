using System.Text.Json.Nodes;
using Podhost.Api.Schema;

namespace Podhost.Api.Patching;

/// <summary>Merges objects. Owns and changes both arguments.</summary>
internal static class StrategicObjectMerge
{
    public static JsonObject Merge(SchemaScope scope, JsonObject original, JsonObject patch)
    {
        switch (Directives.PatchOf(patch))
        {
            case "replace":
                patch.Remove(Directives.Patch);
                return patch;
            case "delete":
                return [];
            case not null:
                throw Directives.Unknown(patch);
        }

        ApplyRetainKeys(original, patch);
        foreach (var name in patch.Select(p => p.Key).Where(k => k.StartsWith(Directives.SetElementOrder, StringComparison.Ordinal)).ToList())
        {
            StrategicElementOrder.Apply(scope, original, patch, name[Directives.SetElementOrder.Length..]);
        }

        foreach (var name in patch.Select(p => p.Key).Where(k => k.StartsWith(Directives.DeleteFromPrimitiveList, StringComparison.Ordinal)).ToList())
        {
            DeleteFromPrimitiveList(original, name[Directives.DeleteFromPrimitiveList.Length..], patch[name]);
            patch.Remove(name);
        }

        foreach (var name in patch.Select(p => p.Key).ToList())
        {
            MergeMember(scope.Member(name), original, name, Detach(patch, name));
        }

        return original;
    }

    public static JsonNode? Detach(JsonObject obj, string name)
    {
        var value = obj[name];
        obj.Remove(name);
        return value;
    }

    private static void MergeMember(SchemaScope scope, JsonObject original, string name, JsonNode? patch)
    {
        if (patch is null)
        {
            original.Remove(name);
            return;
        }

        original.TryGetPropertyValue(name, out var current);
        var replaces = scope.Field?.PatchReplaces == true;
        switch (current, patch)
        {
            case (JsonObject, JsonObject added) when replaces:
                original[name] = added;
                break;
            case (JsonObject, JsonObject added):
                Detach(original, name);
                original[name] = Merge(scope, (JsonObject)current, added);
                break;
            case (JsonArray, JsonArray added) when scope.Field?.PatchMerges == true:
                Detach(original, name);
                original[name] = StrategicListMerge.Merge(scope, (JsonArray)current, added);
                break;
            default:
                original[name] = Fresh(scope, patch);
                break;
        }
    }

    /// <summary>A value that was not there before: without nulls and without directives, which have nothing to act on.</summary>
    public static JsonNode? Fresh(SchemaScope scope, JsonNode? value)
    {
        switch (value)
        {
            case JsonObject obj:
                return Merge(scope, [], obj);
            case JsonArray list when scope.Field?.PatchMerges == true:
                return StrategicListMerge.Merge(scope, [], list);
            default:
                return value;
        }
    }

    private static void ApplyRetainKeys(JsonObject original, JsonObject patch)
    {
        if (!patch.ContainsKey(Directives.RetainKeys))
        {
            return;
        }

        if (Detach(patch, Directives.RetainKeys) is not JsonArray list)
        {
            throw PatchFailure.Malformed("invalid patch format of retainKeys");
        }

        var retained = list.Select(GoFormat.Print).ToHashSet(StringComparer.Ordinal);
        if (patch.Any(p => p.Value is not null && !p.Key.StartsWith('$') && !retained.Contains(p.Key)))
        {
            throw PatchFailure.DoesNotApply("patch content doesn't match retainKeys list");
        }

        foreach (var name in original.Select(p => p.Key).Where(k => !retained.Contains(k)).ToList())
        {
            original.Remove(name);
        }
    }

    private static void DeleteFromPrimitiveList(JsonObject original, string name, JsonNode? toDelete)
    {
        if (toDelete is not JsonArray values)
        {
            throw PatchFailure.Malformed("invalid patch format of primitive list");
        }

        if (original[name] is JsonArray list)
        {
            list.RemoveAll(item => values.Any(v => JsonNode.DeepEquals(v, item)));
        }
    }
}
