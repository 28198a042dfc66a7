using System.Text.Json.Nodes;
using Podhost.Api.Schema;

namespace Podhost.Api.FieldManagement;

/// <summary>The paths that a configuration sets.</summary>
internal static class FieldSetBuilder
{
    /// <param name="scope">Schema of the value.</param>
    /// <param name="value">The value.</param>
    /// <param name="path">Where it is, for messages.</param>
    /// <param name="strict">True to refuse what the schema does not know and items of the same key.</param>
    public static FieldSet Build(SchemaScope scope, JsonNode? value, string path = "", bool strict = false) =>
        MergeRules.Of(scope, value, null) switch
        {
            Granularity.Members => value is null ? FieldSet.Member : BuildMembers(scope, (JsonObject)value, path, strict),
            Granularity.Items => value is null ? FieldSet.Member : BuildItems(scope, (JsonArray)value, path, strict),
            _ => FieldSet.Member,
        };

    // A declared field is owned through what is below it, unless there is nothing below it.
    private static FieldSet BuildMembers(SchemaScope scope, JsonObject obj, string path, bool strict)
    {
        var children = new List<KeyValuePair<string, FieldSet>>();
        foreach (var (name, value) in obj)
        {
            var member = scope.Member(name);
            var memberPath = path + "." + name;
            if (strict && member.Value is null)
            {
                throw PathStep.Fault(memberPath, "field not declared in schema");
            }

            var set = Build(member, value, memberPath, strict);
            var owned = value is null or JsonObject { Count: 0 } || !MergeRules.IsNamedField(scope, name);
            children.Add(KeyValuePair.Create(PathStep.Field(name), owned ? set.AsMember() : set));
        }

        return FieldSet.Of(false, children);
    }

    private static FieldSet BuildItems(SchemaScope scope, JsonArray list, string path, bool strict)
    {
        var children = new Dictionary<string, FieldSet>(StringComparer.Ordinal);
        foreach (var item in list)
        {
            var step = PathStep.Item(scope, item, path);
            if (strict && children.ContainsKey(step))
            {
                throw PathStep.Fault(path, $"duplicate entries for key {PathStep.Print(step)}");
            }

            var set = Build(scope.Item(), item, path + PathStep.Print(step), strict).AsMember();
            children[step] = children.TryGetValue(step, out var same) ? same.Union(set) : set;
        }

        return FieldSet.Of(false, children);
    }
}
