using System.Text.Json.Nodes;
using Podhost.Api.Schema;

namespace Podhost.Api.FieldManagement;

/// <summary>How a value is owned: as a whole, field by field, or item by item.</summary>
internal enum Granularity
{
    /// <summary>The value is owned as a whole.</summary>
    Leaf,

    /// <summary>An object or map: each member is owned.</summary>
    Members,

    /// <summary>A set or a list of type map: each item is owned.</summary>
    Items,
}

/// <summary>What the schema says of ownership.</summary>
internal static class MergeRules
{
    public static Granularity Of(SchemaScope scope) => scope.Value?.Kind switch
    {
        SchemaKind.List => scope.Field?.ListType is ListType.Set or ListType.Map ? Granularity.Items : Granularity.Leaf,
        SchemaKind.Map => scope.Field?.IsAtomicMap == true ? Granularity.Leaf : Granularity.Members,
        SchemaKind.Deduced => scope.Field?.IsAtomicMap == true ? Granularity.Leaf : Granularity.Members,
        SchemaKind.Object => IsAtomicObject(scope) ? Granularity.Leaf : Granularity.Members,
        _ => Granularity.Leaf,
    };

    /// <summary>As <see cref="Of(SchemaScope)"/>, for values that may not be of the schema's type: what cannot be entered is a leaf.</summary>
    public static Granularity Of(SchemaScope scope, JsonNode? left, JsonNode? right)
    {
        var granularity = Of(scope);
        var fits = granularity switch
        {
            Granularity.Members => left is null or JsonObject && right is null or JsonObject,
            Granularity.Items => left is null or JsonArray && right is null or JsonArray,
            _ => true,
        };
        return fits ? granularity : Granularity.Leaf;
    }

    /// <summary>True where a member of this name is a declared field, not the key of a map.</summary>
    public static bool IsNamedField(SchemaScope scope, string name) => scope.Value?.Type?.Field(name) is not null;

    // A field may say "granular" of a type that is atomic by itself (PersistentVolume's claimRef).
    private static bool IsAtomicObject(SchemaScope scope) =>
        scope.Field?.IsAtomicMap == true || (scope.Value!.Type!.IsAtomic && scope.Field?.DeclaredMapType != "granular");
}
