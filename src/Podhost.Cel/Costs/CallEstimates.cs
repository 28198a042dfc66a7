using Podhost.Cel.Functions;
using Podhost.Cel.Syntax;
using Podhost.Cel.Types;
using Podhost.Cel.Values;

namespace Podhost.Cel.Costs;

/// <summary>The estimated cost of a call without that of its arguments, and the size of its result where it is known.</summary>
internal sealed class CallEstimates(Func<IReadOnlyList<string>, Range?> sizeByPath)
{
    private const double PerCharacter = RuntimeCosts.PerCharacter;

    // A number or time as text. Upstream takes any length for possible, and so refuses messages that name a number.
    private const ulong LongestScalar = 40;

    private static readonly Range One = Range.Fixed(1);

    public (Range Cost, Range? Size) Of(string function, string overload, Estimated? target, List<Estimated> args) =>
        OfLibrary(function, overload, target, args) ?? OfText(overload, target, args) ?? OfStandard(overload, args) ?? (One, null);

    private (Range, Range?)? OfLibrary(string function, string overload, Estimated? target, List<Estimated> args)
    {
        switch (function)
        {
            case "check":
                return (Range.Fixed(RuntimeCosts.AuthorizerCheck), null);
            case "isSorted" or "sum" or "max" or "min" or "indexOf" or "lastIndexOf" when target is { } list:
                return (Traversal(list), null);
            case "url" or "jsonpatch.escapeKey" when args.Count == 1:
                return (Size(args[0]).Scale(PerCharacter), Size(args[0]));
            case "lowerAscii" or "upperAscii" or "substring" or "trim" when target is { } text:
                return (Size(text).Scale(PerCharacter), Size(text));
            case "replace" when target is { } text:
                return (Size(text).Scale(2 * PerCharacter), Replaced(Size(text), Size(args[0]), Size(args[1])));
            case "split" when target is { } text:
                var most = args.Count > 1 && args[1].Expr is Literal { Value: long limit } ? (ulong)limit : Size(text).Max;
                return (Size(text).Scale(2 * PerCharacter), new Range(0, most));
            case "join" when target is { } list:
                var size = Joined(list, args);
                return (size.Scale(PerCharacter), size);
            case "find" or "findAll" when target is { } text:
                return (Size(text).Add(One).Scale(PerCharacter).Multiply(Size(args[0]).Scale(RuntimeCosts.PerPatternCharacter)), new Range(0, Size(text).Max));
            case "fieldSelector" or "labelSelector":
                return (Selector(Size(args[0])), null);
            case "containsIP" or "containsCIDR":
                return (Containment(function, overload, args), null);
            case "validate" when target is not null:
                return (Size(args[0]).Scale(PerCharacter).Scale(Formats.MaxNameRegexSize * RuntimeCosts.PerPatternCharacter), null);
            case "sets.contains" or "sets.intersects":
                return (Size(args[0]).Multiply(Size(args[1])).Add(One), null);
            case "sets.equivalent":
                return (Size(args[0]).Multiply(Size(args[1])).Multiply(Range.Fixed(2)).Add(One), null);
            case Operators.Equal when args[0].Type.Equals(args[1].Type) && args[0].Type is { Kind: CelKind.Opaque, IsOptional: false }:
                return (One, null);
            default:
                return null;
        }
    }

    private static (Range, Range?)? OfText(string overload, Estimated? target, List<Estimated> args)
    {
        switch (overload)
        {
            case "string_to_bytes":
                var bytes = Known(args[0]);
                return (bytes.Scale(PerCharacter), new Range(bytes.Min, Range.Product(bytes.Max, 4)));
            case "bytes_to_string":
                return (Known(args[0]).Scale(PerCharacter), new Range(Known(args[0]).Min / 4, Known(args[0]).Max));
            case "bool_to_string" or "int_to_string" or "uint_to_string" or "double_to_string" or "timestamp_to_string" or "duration_to_string":
                return (One, new Range(1, LongestScalar));
            case "strings_quote":
                var plain = Known(args[0]);
                return (plain.Scale(PerCharacter), plain.Add(plain).Add(Range.Fixed(2)));
            case "string_format" when target is { } format:
                return (Known(format).Scale(PerCharacter), Range.Unknown);
            case "starts_with_string" or "ends_with_string":
                return (Known(args[0]).Scale(PerCharacter), null);
            case "matches_string" when target is { } text:
                return (Known(text).Add(One).Scale(PerCharacter).Multiply(Known(args[0]).Scale(RuntimeCosts.PerPatternCharacter)), null);
            case "contains_string" when target is { } text:
                return (Known(text).Scale(PerCharacter).Multiply(Known(args[0]).Scale(PerCharacter)), null);
            default:
                return null;
        }
    }

    private static (Range, Range?)? OfStandard(string overload, List<Estimated> args)
    {
        switch (overload)
        {
            case "in_list":
                return (Known(args[1]), null);
            case "add_list":
                return (One, Known(args[0]).Add(Known(args[1])));
            case "add_string" or "add_bytes":
                var size = Known(args[0]).Add(Known(args[1]));
                return (size.Scale(PerCharacter), size);
            case "equals" or "not_equals":
            case "less_string" or "greater_string" or "less_equals_string" or "greater_equals_string":
            case "less_bytes" or "greater_bytes" or "less_equals_bytes" or "greater_equals_bytes":
                var most = Math.Min(Known(args[0]).Max, Known(args[1]).Max);
                return (new Range(most > 0 ? 1UL : 0, most).Scale(PerCharacter), null);
            default:
                return null;
        }
    }

    private Range Traversal(Estimated list)
    {
        if (list.Type.Parameters.Count == 0)
        {
            return Size(list).Scale(PerCharacter);
        }

        var item = list.Type.Parameters[0].Kind is CelKind.String or CelKind.Bytes ? One.Add(Item(list).Scale(PerCharacter)) : One;
        return Size(list).Multiply(item);
    }

    private Range Item(Estimated list) => (list.Path.Count > 0 ? sizeByPath([.. list.Path, "@items"]) : null) ?? Range.Unknown;

    private Range Joined(Estimated list, List<Estimated> args)
    {
        var count = Size(list);
        var size = list.Type.Parameters.Count > 0 ? count.Multiply(Item(list)) : default;
        return args.Count == 0 ? size : size.Add(Size(args[0]).Multiply(new Range(count.Min > 0 ? count.Min - 1 : 0, count.Max > 0 ? count.Max - 1 : 0)));
    }

    private static Range Replaced(Range text, Range old, Range replacement)
    {
        var (mostCount, mostKept) = old.Min == 0 ? (Range.Sum(text.Max, 1), text.Max)
            : replacement.Max <= old.Min ? (0UL, text.Max)
            : (Ceiling(text.Max, old.Min), 0UL);
        var (leastCount, leastKept) = old.Max == 0 ? (Range.Sum(text.Min, 1), text.Min)
            : old.Max <= replacement.Min ? (0UL, text.Min)
            : (Ceiling(text.Min, old.Max), 0UL);
        return new Range(leastCount, mostCount).Multiply(replacement).Add(new Range(leastKept, mostKept));
    }

    private static ulong Ceiling(ulong a, ulong b) => (a / b) + (a % b == 0 ? 0UL : 1);

    private static Range Selector(Range length) => Range.Fixed(RuntimeCosts.NewList).Add(length.Scale(PerCharacter))
        .Add(length.Scale(0.5).Scale(RuntimeCosts.NewList + RuntimeCosts.NewStruct));

    private Range Containment(string function, string overload, List<Estimated> args)
    {
        var address = new Range(4, 16);
        var cost = address.Add(address).Scale(PerCharacter);
        cost = function == "containsCIDR" ? cost.Add(address.Scale(PerCharacter)).Add(One) : cost;
        return overload.EndsWith("_string", StringComparison.Ordinal) ? cost.Add(Size(args[0]).Scale(PerCharacter)) : cost;
    }

    private static Range Known(Estimated node) => node.Size ?? Range.Unknown;

    private Range Size(Estimated node) => node.Size ?? (node.Path.Count > 0 ? sizeByPath(node.Path) : null) ?? Range.Unknown;
}
