using System.Text.Json.Nodes;
using Podhost.Api.Schema;

namespace Podhost.Api.FieldManagement;

/// <summary>Takes paths out of an object.</summary>
internal static class ItemRemoval
{
    /// <summary>A new value without the paths; null where nothing is left of it.</summary>
    public static JsonNode? Remove(SchemaScope scope, JsonNode? value, FieldSet paths)
    {
        if (paths.IsEmpty)
        {
            return value?.DeepClone();
        }

        return MergeRules.Of(scope, value, null) switch
        {
            Granularity.Members when value is JsonObject obj => RemoveMembers(scope, obj, paths),
            Granularity.Items when value is JsonArray list => RemoveItems(scope, list, paths),
            _ => value?.DeepClone(),
        };
    }

    private static JsonObject? RemoveMembers(SchemaScope scope, JsonObject obj, FieldSet paths)
    {
        var result = new JsonObject();
        foreach (var (name, value) in obj)
        {
            var below = paths.Child(PathStep.Field(name));
            if (below.IsMember)
            {
                continue;
            }

            var kept = Remove(scope.Member(name), value, below);
            if (kept is not null || value is null)
            {
                result[name] = kept;
            }
        }

        return result.Count > 0 ? result : null;
    }

    private static JsonArray? RemoveItems(SchemaScope scope, JsonArray list, FieldSet paths)
    {
        var result = new JsonArray();
        foreach (var item in list)
        {
            var below = paths.Child(PathStep.Item(scope, item, "." + scope.Field!.Name));
            if (!below.IsMember)
            {
                result.Add(Remove(scope.Item(), item, below));
            }
        }

        return result.Count > 0 ? result : null;
    }
}
