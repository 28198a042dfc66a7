using System.Globalization;
using Podhost.Api.Quantities;
using Podhost.Cel.Functions;
using Podhost.Cel.Types;

namespace Podhost.Cel.Values;

/// <summary>
/// What holds for all runtime values. A value is bool, long, ulong, double, string, or an object of this namespace; errors are values too.
/// </summary>
internal static class Values
{
    /// <summary>The type of a value at run time.</summary>
    public static CelType TypeOf(object value) => value switch
    {
        bool => CelType.Bool,
        long => CelType.Int,
        ulong => CelType.Uint,
        double => CelType.Double,
        string => CelType.String,
        CelBytes => CelType.Bytes,
        CelNull => CelType.Null,
        CelTimestamp => CelType.Timestamp,
        CelDuration => CelType.Duration,
        CelList => CelType.List(CelType.Dyn),
        StructValue s => s.Type,
        CelMap => CelType.Map(CelType.Dyn, CelType.Dyn),
        CelType => CelType.Type,
        CelOptional => CelType.Optional(CelType.Dyn),
        Quantity => LibraryTypes.Quantity,
        CelUrl => LibraryTypes.Url,
        CelIp => LibraryTypes.Ip,
        CelCidr => LibraryTypes.Cidr,
        CelSemver => LibraryTypes.Semver,
        NamedFormat => LibraryTypes.Format,
        ILibraryValue l => l.Type,
        _ => CelType.Error,
    };

    /// <summary>True where a value may be an argument of a declared type; items of containers are not looked at.</summary>
    public static bool Is(object value, CelType type) => type.Kind switch
    {
        CelKind.Dyn or CelKind.Param or CelKind.Error => true,
        CelKind.Bool => value is bool,
        CelKind.Int => value is long,
        CelKind.Uint => value is ulong,
        CelKind.Double => value is double,
        CelKind.String => value is string,
        CelKind.Bytes => value is CelBytes,
        CelKind.Null => value is CelNull,
        CelKind.Timestamp => value is CelTimestamp,
        CelKind.Duration => value is CelDuration,
        CelKind.List => value is CelList,
        CelKind.Map or CelKind.Object => value is CelMap,
        CelKind.Type => value is CelType,
        _ => TypeOf(value) is var t && t.Kind == type.Kind && t.Name == type.Name,
    };

    /// <summary>True or false, or an error where items are errors. Values of types that do not compare are different.</summary>
    public static object Equal(object a, object b) => (a, b) switch
    {
        (CelError, _) => a,
        (_, CelError) => b,
        (CelList x, CelList y) => x.EqualTo(y),
        (CelMap x, CelMap y) => x.EqualTo(y),
        (CelOptional x, CelOptional y) => x.Value is null || y.Value is null ? Boxes.Of(x.HasValue == y.HasValue) : Equal(x.Value, y.Value),
        (long or ulong or double, long or ulong or double) => Boxes.Of(Numbers.Compare(a, b) == 0),
        (CelType x, CelType y) => Boxes.Of(x.Kind == y.Kind && x.Name == y.Name),
        _ => Boxes.Of(a.Equals(b)),
    };

    /// <summary>The size of a value as size() counts it; null for values without one.</summary>
    public static long? Size(object value) => value switch
    {
        string s => CodePoints.Count(s),
        CelBytes b => b.Value.Length,
        CelList l => l.Count,
        CelMap m => m.Count,
        CelIp ip => ip.Size,
        CelCidr cidr => cidr.Size,
        NamedFormat f => f.MaxRegexSize,
        _ => null,
    };

    /// <summary>A value in a message.</summary>
    public static string Display(object value) => value switch
    {
        string s => s,
        bool b => b ? "true" : "false",
        double d => Numbers.Format(d),
        IFormattable f => f.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };
}
