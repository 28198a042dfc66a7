using System.Globalization;
using System.Text;

namespace Podhost.Cel.Values;

/// <summary>Numbers across their types.</summary>
internal static class Numbers
{
    private const double TwoTo63 = 9223372036854775808.0;
    private const double TwoTo64 = 18446744073709551616.0;

    /// <summary>Order of two numbers of any types; null where one is not a number.</summary>
    public static int? Compare(object a, object b)
    {
        if (a is long x && b is long y)
        {
            return x.CompareTo(y);
        }

        if (a is double or ulong && a.GetType() == b.GetType())
        {
            return a is double d ? Compare(d, (double)b) : ((ulong)a).CompareTo((ulong)b);
        }

        return (a, b) switch
        {
            (double d, _) => CompareMixed(d, b),
            (_, double d) => -CompareMixed(d, a),
            _ => Whole(a).CompareTo(Whole(b)),
        };
    }

    private static int? Compare(double a, double b) => double.IsNaN(a) || double.IsNaN(b) ? null : a.CompareTo(b);

    private static int? CompareMixed(double d, object whole)
    {
        if (double.IsNaN(d))
        {
            return null;
        }

        var other = Whole(whole);
        return d >= TwoTo64 ? 1
            : d < -TwoTo63 ? -1
            : (Int128)Math.Floor(d) is var floor && floor != other ? floor.CompareTo(other)
            : Math.Floor(d) == d ? 0 : 1;
    }

    private static Int128 Whole(object value) => value is long l ? l : (ulong)value;

    /// <summary>The whole part as int, or an error.</summary>
    public static object ToInt(double value) => double.IsFinite(value) && value > -TwoTo63 && value < TwoTo63 ? (long)value : new CelError("integer overflow");

    /// <summary>The whole part as uint, or an error.</summary>
    public static object ToUint(double value) =>
        double.IsFinite(value) && value >= 0 && value < TwoTo64 ? (ulong)value : new CelError("unsigned integer overflow");

    /// <summary>The shortest text that reads back, as Go's %g prints it.</summary>
    public static string Format(double value)
    {
        if (!double.IsFinite(value) || value == 0)
        {
            return double.IsNaN(value) ? "NaN" : value == 0 ? (double.IsNegative(value) ? "-0" : "0") : value > 0 ? "+Inf" : "-Inf";
        }

        var (sign, digits, exponent) = Parts(value);
        return sign + (exponent is < -4 or >= 6 ? Scientific(digits, exponent) : Plain(digits, exponent));
    }

    /// <summary>The shortest text without an exponent.</summary>
    public static string FormatPlain(double value)
    {
        if (!double.IsFinite(value) || value == 0)
        {
            return Format(value);
        }

        var (sign, digits, exponent) = Parts(value);
        return sign + Plain(digits, exponent);
    }

    /// <summary>The shortest digits that read back, and the power of ten of the first.</summary>
    private static (string Sign, string Digits, int Exponent) Parts(double value)
    {
        var text = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture);
        var e = text.IndexOf('E', StringComparison.Ordinal);
        var mantissa = e < 0 ? text : text[..e];
        var exponent = e < 0 ? 0 : int.Parse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var point = mantissa.IndexOf('.', StringComparison.Ordinal) is >= 0 and var at ? at : mantissa.Length;
        var digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        var zeros = digits.Length - digits.TrimStart('0').Length;
        return (value < 0 ? "-" : "", digits.Trim('0'), exponent + point - 1 - zeros);
    }

    private static string Scientific(string digits, int exponent)
    {
        var text = new StringBuilder(digits[..1]);
        if (digits.Length > 1)
        {
            text.Append('.').Append(digits, 1, digits.Length - 1);
        }

        return text.Append('e').Append(exponent < 0 ? '-' : '+').Append(Math.Abs(exponent).ToString("00", CultureInfo.InvariantCulture)).ToString();
    }

    private static string Plain(string digits, int exponent) => exponent switch
    {
        < 0 => "0." + new string('0', -exponent - 1) + digits,
        _ when digits.Length <= exponent + 1 => digits.PadRight(exponent + 1, '0'),
        _ => digits[..(exponent + 1)] + "." + digits[(exponent + 1)..],
    };
}
