using System.Globalization;

namespace Podhost.Cel.Values;

/// <summary>A span of time in nanoseconds, as Go has it.</summary>
internal readonly record struct CelDuration(long Nanos) : IComparable<CelDuration>
{
    private static readonly (string Unit, long Nanos)[] Units =
    [
        ("ns", 1), ("us", 1_000), ("µs", 1_000), ("μs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ];

    /// <summary>Go's notation, such as <c>1h30m2.5s</c>; null where it is none or too long.</summary>
    public static CelDuration? TryParse(string text)
    {
        var isNegative = text.StartsWith('-');
        var rest = text.AsSpan(isNegative || text.StartsWith('+') ? 1 : 0);
        if (rest.SequenceEqual("0"))
        {
            return new CelDuration(0);
        }

        decimal total = 0;
        while (rest.Length > 0)
        {
            if (Part(ref rest) is not { } part || (total += part) > long.MaxValue)
            {
                return null;
            }
        }

        return text.Length > (isNegative ? 1 : 0) ? new CelDuration((long)(isNegative ? -total : total)) : null;
    }

    private static decimal? Part(ref ReadOnlySpan<char> rest)
    {
        var length = rest.IndexOfAnyExcept("0123456789.");
        if (length <= 0 || !decimal.TryParse(rest[..length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
        {
            return null;
        }

        rest = rest[length..];
        var unitLength = rest.IndexOfAny("0123456789.") is >= 0 and var end ? end : rest.Length;
        foreach (var (unit, nanos) in Units)
        {
            if (rest[..unitLength].SequenceEqual(unit))
            {
                rest = rest[unitLength..];
                return number > long.MaxValue / (decimal)nanos ? null : decimal.Truncate(number * nanos);
            }
        }

        return null;
    }

    public int CompareTo(CelDuration other) => Nanos.CompareTo(other.Nanos);

    /// <summary>Seconds as a decimal number with an s, as string() prints it.</summary>
    public override string ToString() => Numbers.FormatPlain(Nanos / 1e9) + "s";
}
