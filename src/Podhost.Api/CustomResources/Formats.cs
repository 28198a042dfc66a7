using System.Globalization;
using System.Net;
using System.Net.Mail;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Podhost.Api.Validation;

namespace Podhost.Api.CustomResources;

/// <summary>The formats of strings that schemas may name. Unknown ones allow everything, as upstream's validator does.</summary>
internal static partial class Formats
{
    private static readonly Dictionary<string, Func<string, bool>> ByName = new(StringComparer.Ordinal)
    {
        ["bsonobjectid"] = s => s.Length == 24 && s.All(char.IsAsciiHexDigit),
        ["uri"] = s => Uri.TryCreate(s, UriKind.Absolute, out _) || s.StartsWith('/'),
        ["email"] = s => MailAddress.TryCreate(s, out _),
        ["hostname"] = s => s.Length <= 255 && Hostname().IsMatch(s),
        ["ipv4"] = s => Names.ParseIp(s) is { AddressFamily: AddressFamily.InterNetwork },
        ["ipv6"] = s => Names.ParseIp(s) is { AddressFamily: AddressFamily.InterNetworkV6 },
        ["cidr"] = s => !Names.Cidr(s).Any(),
        ["mac"] = s => Mac().IsMatch(s),
        ["uuid"] = s => Uuid().IsMatch(s),
        ["uuid3"] = s => Uuid().IsMatch(s) && Digit(s, 12) == '3',
        ["uuid4"] = s => Uuid().IsMatch(s) && Digit(s, 12) == '4' && IsVariant(s),
        ["uuid5"] = s => Uuid().IsMatch(s) && Digit(s, 12) == '5' && IsVariant(s),
        ["isbn"] = s => IsIsbn10(s) || IsIsbn13(s),
        ["isbn10"] = IsIsbn10,
        ["isbn13"] = IsIsbn13,
        ["creditcard"] = s => CreditCard().IsMatch(string.Concat(s.Where(char.IsAsciiDigit))),
        ["ssn"] = s => Ssn().IsMatch(s),
        ["hexcolor"] = s => HexColor().IsMatch(s),
        ["rgbcolor"] = s => RgbColor().IsMatch(s),
        ["byte"] = s => Convert.TryFromBase64String(s, new byte[s.Length], out _),
        ["date"] = s => DateOnly.TryParseExact(s, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        ["date-time"] = IsDateTime,
        ["datetime"] = IsDateTime,
        ["duration"] = s => Duration().IsMatch(s),
    };

    /// <summary>True where the text has the format, or where the format is not known.</summary>
    public static bool IsValid(string format, string text) => !ByName.TryGetValue(format, out var rule) || rule(text);

    /// <summary>True where a number fits int32 or int64.</summary>
    public static bool Fits(string format, double number) =>
        format == "int32" ? number is >= int.MinValue and <= int.MaxValue : number is >= long.MinValue and <= long.MaxValue;

    private static bool IsDateTime(string s) => DateTimeText().IsMatch(s) &&
        DateTimeOffset.TryParse(s, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _);

    private static char Digit(string uuid, int index) => uuid.Replace("-", "", StringComparison.Ordinal)[index];

    private static bool IsVariant(string uuid) => char.ToLowerInvariant(Digit(uuid, 16)) is '8' or '9' or 'a' or 'b';

    private static bool IsIsbn10(string s)
    {
        var digits = s.Replace("-", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal);
        if (digits.Length != 10 || !digits[..9].All(char.IsAsciiDigit) || (!char.IsAsciiDigit(digits[9]) && digits[9] != 'X'))
        {
            return false;
        }

        return digits.Select((c, i) => (10 - i) * (c == 'X' ? 10 : c - '0')).Sum() % 11 == 0;
    }

    private static bool IsIsbn13(string s)
    {
        var digits = s.Replace("-", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal);
        return digits.Length == 13 && digits.All(char.IsAsciiDigit) && digits.Select((c, i) => (i % 2 == 0 ? 1 : 3) * (c - '0')).Sum() % 10 == 0;
    }

    [GeneratedRegex(@"\A([a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9])?)(\.[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9])?)*\.?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Hostname();

    [GeneratedRegex(@"\A([0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}(([:-][0-9a-fA-F]{2}){2}|([:-][0-9a-fA-F]{2}){14})?|([0-9a-fA-F]{4}\.){2}[0-9a-fA-F]{4})\z", RegexOptions.CultureInvariant)]
    private static partial Regex Mac();

    [GeneratedRegex(@"\A[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Uuid();

    [GeneratedRegex(@"\A(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|(?:2131|1800|35[0-9]{3})[0-9]{11})\z", RegexOptions.CultureInvariant)]
    private static partial Regex CreditCard();

    [GeneratedRegex(@"\A[0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Ssn();

    [GeneratedRegex(@"\A#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})\z", RegexOptions.CultureInvariant)]
    private static partial Regex HexColor();

    [GeneratedRegex(@"\Argb\(\s*(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\s*,\s*(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\s*,\s*(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\s*\)\z", RegexOptions.CultureInvariant)]
    private static partial Regex RgbColor();

    [GeneratedRegex(@"\A[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})\z", RegexOptions.CultureInvariant)]
    private static partial Regex DateTimeText();

    // Go's durations and the words that upstream's format takes besides.
    [GeneratedRegex(@"\A([-+]?(0|([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))*)|[0-9]+\s*(ns|nano|nanos?|nanoseconds?|us|micros?|microseconds?|ms|millis?|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?))\z", RegexOptions.CultureInvariant)]
    private static partial Regex Duration();
}
