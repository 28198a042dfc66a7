namespace Podhost.Api.Schema;

/// <summary>The type of a field, of a list's items or of a map's values.</summary>
public sealed class SchemaValue
{
    private readonly Lazy<SchemaType>? type;

    internal SchemaValue(SchemaKind kind, string format = "", Lazy<SchemaType>? type = null, SchemaValue? item = null)
    {
        Kind = kind;
        Format = format;
        this.type = type;
        Item = item;
    }

    /// <summary>What it is.</summary>
    public SchemaKind Kind { get; }

    /// <summary><c>int32</c> or <c>int64</c> of an integer, <c>double</c> of a number, else empty.</summary>
    public string Format { get; }

    /// <summary>The object type where <see cref="Kind"/> is <see cref="SchemaKind.Object"/>, else null.</summary>
    public SchemaType? Type => type?.Value;

    /// <summary>The type of items of a list, of values of a map, else null.</summary>
    public SchemaValue? Item { get; }

    /// <summary>True for a value that is neither object, list, map nor free-form.</summary>
    public bool IsScalar => Kind is not (SchemaKind.Object or SchemaKind.List or SchemaKind.Map or SchemaKind.Any or SchemaKind.Deduced);
}
