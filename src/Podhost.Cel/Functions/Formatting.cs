using System.Globalization;
using System.Numerics;
using System.Text;
using Podhost.Cel.Values;

namespace Podhost.Cel.Functions;

/// <summary>format() of strings: %s %d %f %e %b %x %X %o, with a precision for the real ones.</summary>
internal static class Formatting
{
    private const int MaxPrecision = 1000;

    /// <summary>The text, or an error.</summary>
    public static object Format(string format, CelList args)
    {
        var text = new StringBuilder();
        var next = 0;
        for (var at = 0; at < format.Length; at++)
        {
            if (format[at] != '%')
            {
                text.Append(format[at]);
                continue;
            }

            if (++at >= format.Length)
            {
                return new CelError("unexpected end of string");
            }

            if (format[at] == '%')
            {
                text.Append('%');
                continue;
            }

            if (next >= args.Count)
            {
                return new CelError($"index {next} out of range");
            }

            var precision = Precision(format, ref at);
            var clause = precision > MaxPrecision || at >= format.Length
                ? new CelError("error while parsing precision: " + (at >= format.Length ? "could not find end of precision specifier" : $"precision exceeds maximum {MaxPrecision}"))
                : Clause(format[at], args[next++], precision);
            if (clause is CelError)
            {
                return clause;
            }

            text.Append((string)clause);
        }

        return text.ToString();
    }

    private static int Precision(string format, ref int at)
    {
        if (format[at] != '.')
        {
            return 6;
        }

        var start = ++at;
        while (at < format.Length && char.IsAsciiDigit(format[at]))
        {
            at++;
        }

        return at == start ? 0 : int.TryParse(format.AsSpan(start, at - start), CultureInfo.InvariantCulture, out var precision) ? precision : int.MaxValue;
    }

    private static object Clause(char verb, object arg, int precision) => (verb, arg) switch
    {
        (_, CelError) => arg,
        ('s', _) => Text(arg),
        ('d', long or ulong) => Values.Values.Display(arg),
        ('d', double d) when !double.IsFinite(d) => Numbers.Format(d) switch { "+Inf" => "Infinity", "-Inf" => "-Infinity", var n => n },
        ('f', long or ulong or double) => Convert.ToDouble(arg, CultureInfo.InvariantCulture).ToString("F" + precision, CultureInfo.InvariantCulture),
        ('e', long or ulong or double) => Exponent(Convert.ToDouble(arg, CultureInfo.InvariantCulture), precision),
        ('b', long or ulong) => Radix(arg, 2),
        ('b', bool b) => b ? "1" : "0",
        ('o', long or ulong) => Radix(arg, 8),
        ('x', long or ulong) => Radix(arg, 16),
        ('X', long or ulong) => Radix(arg, 16).ToUpperInvariant(),
        ('x', string s) => Convert.ToHexStringLower(Encoding.UTF8.GetBytes(s)),
        ('X', string s) => Convert.ToHexString(Encoding.UTF8.GetBytes(s)),
        ('x', CelBytes b) => Convert.ToHexStringLower(b.Value),
        ('X', CelBytes b) => Convert.ToHexString(b.Value),
        ('d' or 'f' or 'e' or 'b' or 'o' or 'x' or 'X', _) => Wrong(verb, arg),
        _ => new CelError($"could not parse formatting clause: unrecognized formatting clause \"{verb}\""),
    };

    private static CelError Wrong(char verb, object arg)
    {
        var (what, name) = verb switch
        {
            'd' => ("only integers can be formatted as decimal", "decimal"),
            'b' => ("only integers and bools can be formatted as binary", "binary"),
            'o' => ("octal clause can only be used on integers", "octal"),
            'x' or 'X' => ("only integers, byte buffers, and strings can be formatted as hex", "hex"),
            _ => ("fixed-point clause can only be used on doubles", "fixed-point"),
        };
        return new CelError($"error during formatting: {what}, was given {Values.Values.TypeOf(arg).Name} ({name})");
    }

    private static string Exponent(double value, int precision)
    {
        var text = value.ToString((precision == 0 ? "0" : "0." + new string('0', precision)) + "e+00", CultureInfo.InvariantCulture);
        return text;
    }

    private static string Radix(object value, int radix)
    {
        var number = value is long l ? l : (BigInteger)(ulong)value;
        var digits = new StringBuilder();
        for (var rest = BigInteger.Abs(number); rest > 0 || digits.Length == 0; rest /= radix)
        {
            digits.Insert(0, "0123456789abcdef"[(int)(rest % radix)]);
        }

        return (number.Sign < 0 ? "-" : "") + digits;
    }

    private static object Text(object arg) => arg switch
    {
        CelNull => "null",
        CelList l => Joined(l.Items.Select(Text), "[", "]"),
        CelMap m => Joined(m.Keys.OrderBy(Values.Values.Display, StringComparer.Ordinal)
            .Select(k => Text(m.Find(k)!) is string v ? $"{Values.Values.Display(k)}: {v}" : Text(m.Find(k)!)), "{", "}"),
        CelBytes b => Encoding.UTF8.GetString(b.Value),
        double d when double.IsInfinity(d) => d > 0 ? "Infinity" : "-Infinity",
        double d => Numbers.FormatPlain(d),
        Types.CelType t => t.Name,
        CelError => arg,
        bool or long or ulong or string or CelTimestamp or CelDuration => Values.Values.Display(arg),
        _ => new CelError($"error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given {Values.Values.TypeOf(arg).Name}"),
    };

    private static object Joined(IEnumerable<object> parts, string open, string close)
    {
        var all = parts.ToList();
        return all.Find(p => p is CelError) ?? open + string.Join(", ", all) + close;
    }
}
