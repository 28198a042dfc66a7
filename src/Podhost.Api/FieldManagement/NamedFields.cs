using Podhost.Api.Schema;

namespace Podhost.Api.FieldManagement;

/// <summary>Declared fields on the way to a path are usually not in a set themselves; pruning needs them to be.</summary>
internal static class NamedFields
{
    public static FieldSet Add(FieldSet set, SchemaScope scope) => FieldSet.Of(set.IsMember, set.Children.Select(c =>
    {
        var isField = c.Key.StartsWith("f:", StringComparison.Ordinal);
        var child = Add(c.Value, isField ? scope.Member(c.Key[2..]) : scope.Item());
        return KeyValuePair.Create(c.Key, isField && MergeRules.IsNamedField(scope, c.Key[2..]) ? child.AsMember() : child);
    }));
}
