namespace Podhost.Cel.Types;

/// <summary>What a type is.</summary>
public enum CelKind
{
    /// <summary>The type of an expression with a fault: fits everywhere.</summary>
    Error,

    /// <summary>Known at run time only.</summary>
    Dyn,

    /// <summary>true or false.</summary>
    Bool,

    /// <summary>A signed number of 64 bits.</summary>
    Int,

    /// <summary>An unsigned number of 64 bits.</summary>
    Uint,

    /// <summary>A floating point number of 64 bits.</summary>
    Double,

    /// <summary>Unicode text.</summary>
    String,

    /// <summary>Bytes.</summary>
    Bytes,

    /// <summary>null.</summary>
    Null,

    /// <summary>A point in time.</summary>
    Timestamp,

    /// <summary>A span of time.</summary>
    Duration,

    /// <summary>A list; one parameter.</summary>
    List,

    /// <summary>A map; two parameters.</summary>
    Map,

    /// <summary>An object with declared fields.</summary>
    Object,

    /// <summary>A type of a library, known by its name.</summary>
    Opaque,

    /// <summary>The type of types.</summary>
    Type,

    /// <summary>A variable of a generic signature.</summary>
    Param,
}

/// <summary>A type of the language. Equality is by kind, name and parameters.</summary>
public sealed class CelType : IEquatable<CelType>
{
    private readonly IReadOnlyDictionary<string, CelType>? _fields;

    private CelType(CelKind kind, string name, IReadOnlyList<CelType> parameters, IReadOnlyDictionary<string, CelType>? fields = null) =>
        (Kind, Name, Parameters, _fields) = (kind, name, parameters, fields);

    /// <summary>Fits everywhere.</summary>
    public static CelType Error { get; } = Simple(CelKind.Error, "!error!");

    /// <summary>Known at run time only.</summary>
    public static CelType Dyn { get; } = Simple(CelKind.Dyn, "dyn");

    /// <summary>true or false.</summary>
    public static CelType Bool { get; } = Simple(CelKind.Bool, "bool");

    /// <summary>A signed number.</summary>
    public static CelType Int { get; } = Simple(CelKind.Int, "int");

    /// <summary>An unsigned number.</summary>
    public static CelType Uint { get; } = Simple(CelKind.Uint, "uint");

    /// <summary>A floating point number.</summary>
    public static CelType Double { get; } = Simple(CelKind.Double, "double");

    /// <summary>Text.</summary>
    public static CelType String { get; } = Simple(CelKind.String, "string");

    /// <summary>Bytes.</summary>
    public static CelType Bytes { get; } = Simple(CelKind.Bytes, "bytes");

    /// <summary>null.</summary>
    public static CelType Null { get; } = Simple(CelKind.Null, "null_type");

    /// <summary>A point in time.</summary>
    public static CelType Timestamp { get; } = Simple(CelKind.Timestamp, "google.protobuf.Timestamp");

    /// <summary>A span of time.</summary>
    public static CelType Duration { get; } = Simple(CelKind.Duration, "google.protobuf.Duration");

    /// <summary>The type of types.</summary>
    public static CelType Type { get; } = Simple(CelKind.Type, "type");

    /// <summary>What it is.</summary>
    public CelKind Kind { get; }

    /// <summary>Its name; of an object the name of its declaration.</summary>
    public string Name { get; }

    /// <summary>Types of items, of keys and values, or of an opaque type's content.</summary>
    public IReadOnlyList<CelType> Parameters { get; }

    internal bool IsDynOrError => Kind is CelKind.Dyn or CelKind.Error;

    /// <summary>Names of the fields of an object.</summary>
    public IEnumerable<string> FieldNames => _fields?.Keys ?? [];

    /// <summary>A list of items.</summary>
    public static CelType List(CelType item) => new(CelKind.List, "list", [item]);

    /// <summary>A map.</summary>
    public static CelType Map(CelType key, CelType value) => new(CelKind.Map, "map", [key, value]);

    /// <summary>A type of a library.</summary>
    public static CelType Opaque(string name, params CelType[] parameters) => new(CelKind.Opaque, name, parameters);

    /// <summary>A value that may be missing.</summary>
    public static CelType Optional(CelType value) => Opaque("optional_type", value);

    /// <summary>An object with these fields, by their names in expressions.</summary>
    public static CelType Object(string name, IReadOnlyDictionary<string, CelType> fields) => new(CelKind.Object, name, [], fields);

    /// <summary>An object that takes fields of any name and type; only its name tells it from others.</summary>
    public static CelType OpenObject(string name) => new(CelKind.Object, name, []) { IsOpen = true };

    internal static CelType Param(string name) => new(CelKind.Param, name, []);

    internal static CelType TypeOf(CelType type) => new(CelKind.Type, "type", [type]);

    internal bool IsOptional => Kind == CelKind.Opaque && Name == "optional_type";

    private bool IsOpen { get; init; }

    /// <summary>The type of a field of an object, or null.</summary>
    public CelType? Field(string name) => IsOpen ? Dyn : _fields?.GetValueOrDefault(name);

    internal CelType With(IReadOnlyList<CelType> parameters) => new(Kind, Name, parameters, _fields) { IsOpen = IsOpen };

    /// <inheritdoc/>
    public bool Equals(CelType? other) => other is not null && (ReferenceEquals(this, other)
        || (Kind == other.Kind && Name == other.Name && Parameters.SequenceEqual(other.Parameters)));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as CelType);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Kind, Name, Parameters.Count);

    /// <summary>As cel-go prints types in messages.</summary>
    public override string ToString() => Kind switch
    {
        CelKind.List => $"list({Parameters[0]})",
        CelKind.Map => $"map({Parameters[0]}, {Parameters[1]})",
        CelKind.Null => "null",
        CelKind.Timestamp => "timestamp",
        CelKind.Duration => "duration",
        CelKind.Type when Parameters.Count > 0 => $"type({Parameters[0]})",
        CelKind.Opaque when Parameters.Count > 0 => $"{Name}({string.Join(", ", Parameters)})",
        _ => Name,
    };

    private static CelType Simple(CelKind kind, string name) => new(kind, name, []);
}
