namespace Podhost.Api.Schema;

/// <summary>What the schema says of a value at some place of a document: its type, and how the field that holds it merges.</summary>
/// <param name="Value">The type, or null where the schema does not know the place.</param>
/// <param name="Field">The field that holds the value, or null for a root, a list's item or a map's value.</param>
public readonly record struct SchemaScope(SchemaValue? Value, SchemaField? Field)
{
    /// <summary>The scope of a whole document.</summary>
    public static SchemaScope Of(SchemaType type) => new(new SchemaValue(SchemaKind.Object, type: new Lazy<SchemaType>(type)), null);

    /// <summary>The scope of a member of an object or map.</summary>
    public SchemaScope Member(string name)
    {
        if (Value?.Kind == SchemaKind.Object)
        {
            var field = Value.Type!.Field(name);
            return new SchemaScope(field?.Value ?? Value.Type.Rest, field);
        }

        if (Value?.Kind == SchemaKind.Deduced)
        {
            return new SchemaScope(Value, null);
        }

        return new SchemaScope(Value?.Kind == SchemaKind.Map ? Value.Item : null, null);
    }

    /// <summary>The scope of a list's items.</summary>
    public SchemaScope Item() => new(Value?.Kind == SchemaKind.List ? Value.Item : null, null);
}
