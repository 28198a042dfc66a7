using System.Globalization;
using System.Text.RegularExpressions;

namespace Podhost.Cel.Values;

/// <summary>A point in time of the years 1 to 9999: seconds since 1970 in UTC, and nanoseconds.</summary>
internal readonly partial record struct CelTimestamp(long Seconds, int Nanos) : IComparable<CelTimestamp>
{
    private const long Min = -62135596800;
    private const long Max = 253402300799;
    private const long NanosPerSecond = 1_000_000_000;

    /// <summary>RFC 3339, or a date with a time of Go's layout; null where it is none.</summary>
    public static CelTimestamp? TryParse(string text)
    {
        var match = Layout().Match(text);
        if (!match.Success || !DateTimeOffset.TryParseExact(
            match.Groups[1].Value.ToUpperInvariant() + match.Groups[3].Value.ToUpperInvariant(),
            ["yyyy-MM-dd'T'HH:mm:ssZ", "yyyy-MM-dd'T'HH:mm:sszzz"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
        {
            return null;
        }

        var fraction = match.Groups[2].Value;
        return Create(time.ToUnixTimeSeconds(), fraction.Length == 0 ? 0 : int.Parse(fraction[1..].PadRight(9, '0')[..9], CultureInfo.InvariantCulture));
    }

    /// <summary>A date without a time, in UTC; null where it is none.</summary>
    public static CelTimestamp? TryParseDate(string text) =>
        DateTimeOffset.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? new CelTimestamp(time.ToUnixTimeSeconds(), 0)
            : null;

    /// <summary>A time of the range, else null.</summary>
    public static CelTimestamp? Create(long seconds, int nanos) => seconds is >= Min and <= Max ? new CelTimestamp(seconds, nanos) : null;

    /// <summary>The time a span later; null beyond the range.</summary>
    public CelTimestamp? Plus(CelDuration span)
    {
        var total = ((Int128)Seconds * NanosPerSecond) + Nanos + span.Nanos;
        var seconds = total / NanosPerSecond;
        var nanos = (int)(total % NanosPerSecond);
        return nanos < 0 ? Create((long)seconds - 1, nanos + (int)NanosPerSecond) : Create((long)seconds, nanos);
    }

    /// <summary>The span between two times, or an error where it is too long.</summary>
    public object Minus(CelTimestamp other)
    {
        var nanos = (((Int128)Seconds - other.Seconds) * NanosPerSecond) + Nanos - other.Nanos;
        return nanos >= long.MinValue && nanos <= long.MaxValue ? new CelDuration((long)nanos) : new CelError("duration overflow");
    }

    /// <summary>The clock of a time zone; null where the zone is unknown.</summary>
    public DateTimeOffset? In(string? zone)
    {
        var utc = DateTimeOffset.FromUnixTimeSeconds(Seconds).AddTicks(Nanos / 100);
        if (zone is null or "UTC" or "")
        {
            return utc;
        }

        var match = Offset().Match(zone);
        if (match.Success)
        {
            var minutes = (int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture) * 60) + int.Parse(match.Groups[3].Value, CultureInfo.InvariantCulture);
            return minutes > 14 * 60 ? null : utc.ToOffset(TimeSpan.FromMinutes(match.Groups[1].Value == "-" ? -minutes : minutes));
        }

        return TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var info) ? TimeZoneInfo.ConvertTime(utc, info) : null;
    }

    public int CompareTo(CelTimestamp other) => Seconds == other.Seconds ? Nanos.CompareTo(other.Nanos) : Seconds.CompareTo(other.Seconds);

    /// <summary>RFC 3339 in UTC with as many digits of the fraction as it has.</summary>
    public override string ToString()
    {
        var fraction = Nanos == 0 ? "" : "." + Nanos.ToString("000000000", CultureInfo.InvariantCulture).TrimEnd('0');
        return DateTimeOffset.FromUnixTimeSeconds(Seconds).ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture) + fraction + "Z";
    }

    [GeneratedRegex(@"^(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)$", RegexOptions.CultureInvariant)]
    private static partial Regex Layout();

    [GeneratedRegex(@"^([+-]?)(\d{1,2}):(\d\d)$", RegexOptions.CultureInvariant)]
    private static partial Regex Offset();
}
