using System.Globalization;
using System.Numerics;

namespace Podhost.Api.Quantities;

/// <summary>Text to quantity.</summary>
internal static class QuantityParser
{
    private const string WrongFormat =
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    private const string WrongNumber = "unable to parse numeric part of quantity";
    private const string WrongSuffix = "unable to parse quantity's suffix";

    // Upstream leaves the exponent unbounded; a number of a billion digits is an attack, not a resource.
    private const int MaxExponent = 100;
    private const int MaxLength = 128;

    // Values in binary notation are capped at what an int64 holds, as upstream caps them.
    private static readonly BigInteger MaxBinaryNanos = long.MaxValue * BigInteger.Pow(10, Quantity.NanoDigits);

    public static bool TryParse(string text, out Quantity quantity, out string error)
    {
        quantity = default;
        error = "";
        if (text.Length is 0 or > MaxLength)
        {
            error = WrongFormat;
            return false;
        }

        var number = ScanNumber(text, out var negative, out var point);
        if (number.Length == 0 || number is ".")
        {
            error = text.Any(char.IsAsciiDigit) ? WrongNumber : WrongFormat;
            return false;
        }

        var suffix = text.AsSpan((negative || text[0] == '+' ? 1 : 0) + number.Length);
        if (!TryScale(suffix, out var scale))
        {
            error = IsSuffixShaped(suffix) ? WrongSuffix : WrongFormat;
            return false;
        }

        if (point == Invalid)
        {
            error = WrongNumber;
            return false;
        }

        quantity = Make(number, point, scale, negative);
        return true;
    }

    private const int Invalid = -2;

    private static string ScanNumber(string text, out bool negative, out int point)
    {
        negative = text[0] == '-';
        var start = negative || text[0] == '+' ? 1 : 0;
        var end = start;
        point = -1;
        for (; end < text.Length && (char.IsAsciiDigit(text[end]) || text[end] == '.'); end++)
        {
            if (text[end] == '.')
            {
                point = point == -1 ? end - start : Invalid;
            }
        }

        return text[start..end];
    }

    private static Quantity Make(string number, int point, QuantityScale scale, bool negative)
    {
        var digits = BigInteger.Parse(number.Replace(".", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        var fraction = point < 0 ? 0 : number.Length - point - 1;
        var value = digits * BigInteger.Pow(2, scale.Binary);
        var exponent = scale.Decimal - fraction + Quantity.NanoDigits;
        var nanos = exponent >= 0
            ? value * BigInteger.Pow(10, exponent)
            : Quantity.DivideAwayFromZero(value, BigInteger.Pow(10, -exponent));
        var format = scale.Format;
        if (format == QuantityFormat.BinarySI)
        {
            nanos = BigInteger.Min(nanos, MaxBinaryNanos);
            format = nanos < BigInteger.Pow(10, Quantity.NanoDigits) && !nanos.IsZero ? QuantityFormat.DecimalSI : format;
        }

        return new Quantity(negative ? -nanos : nanos, format);
    }

    private static bool TryScale(ReadOnlySpan<char> suffix, out QuantityScale scale)
    {
        if (QuantityScale.TryOfSuffix(suffix, out scale))
        {
            return true;
        }

        if (suffix is ['e' or 'E', .. var exponent]
            && int.TryParse(exponent, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            && value is >= -MaxExponent and <= MaxExponent)
        {
            scale = new QuantityScale(QuantityFormat.DecimalExponent, value, 0);
            return true;
        }

        return false;
    }

    private static bool IsSuffixShaped(ReadOnlySpan<char> suffix)
    {
        var rest = suffix.TrimStart("eEinumkKMGTP");
        return rest.TrimStart("+-").Trim("0123456789").IsEmpty && rest.Length - rest.TrimStart("+-").Length <= 1;
    }
}
