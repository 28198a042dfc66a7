using System.Text.Json.Nodes;

namespace Podhost.Api.FieldManagement;

/// <summary>The JSON form of a field set.</summary>
internal static class FieldsV1
{
    private const int MaxDepth = 100;

    public static JsonObject Write(FieldSet set)
    {
        var obj = new JsonObject();
        var children = set.Children.ToList();
        if (set.IsMember && children.Count > 0)
        {
            obj["."] = new JsonObject();
        }

        foreach (var (step, child) in children)
        {
            obj[step] = Write(child);
        }

        return obj;
    }

    /// <summary>The set, or null where the JSON is no field set.</summary>
    public static FieldSet? Read(JsonObject? obj) => obj is null ? FieldSet.Empty : Read(obj, isRoot: true, 0);

    private static FieldSet? Read(JsonObject obj, bool isRoot, int depth)
    {
        if (depth > MaxDepth)
        {
            return null;
        }

        var isMember = !isRoot && obj.Count == 0;
        var children = new List<KeyValuePair<string, FieldSet>>();
        foreach (var (name, value) in obj)
        {
            if (name == ".")
            {
                isMember = true;
                continue;
            }

            if (value is not JsonObject below || PathStep.Canonical(name) is not { } step || Read(below, isRoot: false, depth + 1) is not { } child)
            {
                return null;
            }

            children.Add(KeyValuePair.Create(step, child));
        }

        return FieldSet.Of(isMember, children);
    }
}
