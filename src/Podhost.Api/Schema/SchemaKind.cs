namespace Podhost.Api.Schema;

/// <summary>What a value of the API may be, in JSON terms.</summary>
public enum SchemaKind
{
    /// <summary>A JSON string.</summary>
    String,

    /// <summary>A whole number of 32 or 64 bits; <see cref="SchemaValue.Format"/> says which.</summary>
    Integer,

    /// <summary>A JSON number.</summary>
    Number,

    /// <summary>true or false.</summary>
    Boolean,

    /// <summary>An object of a named type, see <see cref="SchemaValue.Type"/>.</summary>
    Object,

    /// <summary>A list, see <see cref="SchemaValue.Item"/>.</summary>
    List,

    /// <summary>An object with free keys, see <see cref="SchemaValue.Item"/> for its values.</summary>
    Map,

    /// <summary>A whole number or a string, for example a port.</summary>
    IntOrString,

    /// <summary>A quantity: a string, or a number.</summary>
    Quantity,

    /// <summary>RFC 3339 with seconds.</summary>
    DateTime,

    /// <summary>RFC 3339 with microseconds.</summary>
    MicroTime,

    /// <summary>Base64 of bytes.</summary>
    Bytes,

    /// <summary>Any object, kept as it is (fieldsV1, RawExtension).</summary>
    Any,

    /// <summary>Whatever it looks like: what the schema of a custom kind leaves open.</summary>
    Deduced,
}
