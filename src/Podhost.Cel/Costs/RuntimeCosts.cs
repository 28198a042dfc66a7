using Podhost.Cel.Functions;
using Podhost.Cel.Syntax;
using Podhost.Cel.Values;

namespace Podhost.Cel.Costs;

/// <summary>What calls cost at run time: cel-go's rules and those of Kubernetes' libraries.</summary>
internal static class RuntimeCosts
{
    /// <summary>Of a list.</summary>
    public const long NewList = 10;

    /// <summary>Of a map.</summary>
    public const long NewMap = 30;

    /// <summary>Of an object.</summary>
    public const long NewStruct = 40;

    /// <summary>Of a check by the authorizer: two fit one expression.</summary>
    public const long AuthorizerCheck = 350_000;

    /// <summary>Share of a unit for a character that is looked at.</summary>
    public const double PerCharacter = 0.1;

    /// <summary>Share of a unit for a character of a pattern.</summary>
    public const double PerPatternCharacter = 0.25;

    /// <summary>The cost of a call that was made.</summary>
    public static long Of(string function, string overload, object[] args, object result) =>
        OfLibrary(function, overload, args, result) ?? OfStandard(overload, args);

    private static long? OfLibrary(string function, string overload, object[] args, object result)
    {
        switch (function)
        {
            case "check":
                return AuthorizerCheck;
            case "isSorted" or "sum" or "max" or "min" or "indexOf" or "lastIndexOf":
                return Traversal(args[0]);
            case "url" or "lowerAscii" or "upperAscii" or "substring" or "trim" or "jsonpatch.escapeKey":
            case "cidr" or "isIP" or "isCIDR" or "quantity" or "isQuantity" or "semver" or "isSemver":
                return Scaled(Size(args[0]), PerCharacter);
            case "ip" when overload == "cidr_ip":
                return 1;
            case "ip":
                return Scaled(Size(args[0]), PerCharacter);
            case "replace" or "split" or "ip.isCanonical":
                return Scaled(Size(args[0]), 2 * PerCharacter);
            case "join":
                return Scaled(Size(result), 2 * PerCharacter);
            case "find" or "findAll":
                return Matching(args[0], Size(args[1]));
            case "fieldSelector" or "labelSelector":
                return NewList + Scaled(Size(args[1]), PerCharacter) + Scaled(Scaled(Size(args[1]), 0.5), NewList + NewStruct);
            case "containsIP" or "containsCIDR":
                return Containment(function, overload, args);
            case "validate" when args[0] is NamedFormat format:
                return Matching(args[1], format.MaxRegexSize);
            case "sets.contains" or "sets.intersects":
                return 1 + (Size(args[0]) * Size(args[1]));
            case "sets.equivalent":
                return 1 + (2 * Size(args[0]) * Size(args[1]));
            case "format":
                return Scaled(Size(args[0]), PerCharacter);
            case Operators.Equal when args[0] is CelIp or CelCidr or NamedFormat:
                return 1;
            default:
                return null;
        }
    }

    private static long Containment(string function, string overload, object[] args)
    {
        var network = Size(args[0]);
        var cost = Scaled(network + network, PerCharacter);
        cost += function == "containsCIDR" ? Scaled(network, PerCharacter) + 1 : 0;
        return cost + (overload.EndsWith("_string", StringComparison.Ordinal) ? Scaled(Size(args[1]), PerCharacter) : 0);
    }

    private static long OfStandard(string overload, object[] args)
    {
        switch (overload)
        {
            case "starts_with_string" or "ends_with_string" or "string_to_bytes" or "bytes_to_string":
                return Scaled(Size(args[0]), PerCharacter);
            case "in_list":
                return Size(args[1]);
            case "equals" or "not_equals":
            case "less_string" or "greater_string" or "less_equals_string" or "greater_equals_string":
            case "less_bytes" or "greater_bytes" or "less_equals_bytes" or "greater_equals_bytes":
                return Scaled(Math.Min(Size(args[0]), Size(args[1])), PerCharacter);
            case "add_string" or "add_bytes":
                return Scaled(Size(args[0]) + Size(args[1]), PerCharacter);
            case "matches_string":
                return Matching(args[0], Size(args[1]));
            case "contains_string":
                return Scaled(Size(args[0]), PerCharacter) * Scaled(Size(args[1]), PerCharacter);
            default:
                return 1;
        }
    }

    private static long Matching(object text, long pattern) => Scaled(Size(text) + 1, PerCharacter) * Scaled(pattern, PerPatternCharacter);

    private static long Size(object value) => Values.Values.Size(value) ?? 1;

    private static long Scaled(long size, double factor) => (long)Math.Ceiling(size * factor);

    private static long Traversal(object value) => value switch
    {
        string s => (long)(CodePoints.Utf8Length(s) * PerCharacter),
        CelBytes b => (long)(b.Value.Length * PerCharacter),
        CelList l => l.Items.Sum(Traversal),
        CelMap m => m.Keys.Sum(k => Traversal(k) + Traversal(m.Find(k)!)),
        _ => 1,
    };
}
