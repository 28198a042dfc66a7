using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Podhost.Api.Yaml;

/// <summary>What a scalar means, by the rules of YAML 1.1 as go-yaml v2 implements them.</summary>
internal static class YamlScalars
{
    private const string TagPrefix = "tag:yaml.org,2002:";

    public static JsonNode? Resolve(Scalar scalar)
    {
        if (scalar.Tag.IsEmpty || scalar.Tag.IsNonSpecific)
        {
            return scalar is { Style: ScalarStyle.Plain, Tag.IsNonSpecific: false } ? ResolvePlain(scalar.Value) : Text(scalar.Value);
        }

        return (scalar.Tag.Value, ResolvePlain(scalar.Value)) switch
        {
            (TagPrefix + "str", _) => Text(scalar.Value),
            (TagPrefix + "binary", _) => FromBase64(scalar),
            (TagPrefix + "null", null) => null,
            (TagPrefix + "bool", JsonValue v) when v.TryGetValue(out bool _) => v,
            (TagPrefix + "int", JsonValue v) when v.TryGetValue(out long _) || v.TryGetValue(out ulong _) => v,
            (TagPrefix + "float", JsonValue v) when v.TryGetValue(out double _) || v.TryGetValue(out long _) => v,
            (var tag, _) => throw new YamlException(
                $"cannot decode !!{tag.Replace(TagPrefix, "", StringComparison.Ordinal)} `{scalar.Value}`", (int)scalar.Start.Line),
        };
    }

    /// <summary>True where a plain scalar of this text would be a string.</summary>
    public static bool IsStringWhenPlain(string text) =>
        ResolvePlain(text) is JsonValue v && v.TryGetValue(out string? s) && s == text && text is not ("<<" or "=");

    private static JsonNode? ResolvePlain(string text) => text switch
    {
        "" or "~" or "null" or "Null" or "NULL" => null,
        "y" or "Y" or "yes" or "Yes" or "YES" or "true" or "True" or "TRUE" or "on" or "On" or "ON" => JsonValue.Create(true),
        "n" or "N" or "no" or "No" or "NO" or "false" or "False" or "FALSE" or "off" or "Off" or "OFF" => JsonValue.Create(false),
        _ => char.IsAsciiDigit(text[0]) || text[0] is '+' or '-' or '.' ? ResolveNumber(text) ?? Text(text) : Text(text),
    };

    private static JsonValue? ResolveNumber(string text)
    {
        var plain = text.Replace("_", "", StringComparison.Ordinal);
        if (TryInteger(plain, out var integer))
        {
            return integer;
        }

        // JSON has neither infinity nor not-a-number: these stay what they are written as.
        return IsFloat(plain) && double.TryParse(plain, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value)
            ? JsonValue.Create(value)
            : null;
    }

    private static bool TryInteger(string text, out JsonValue? value)
    {
        value = null;
        var negative = text.StartsWith('-');
        var digits = negative || text.StartsWith('+') ? text[1..] : text;
        if (!TryMagnitude(digits, out var magnitude) || (negative && magnitude > (ulong)long.MaxValue + 1))
        {
            return false;
        }

        value = negative ? JsonValue.Create(unchecked(-(long)magnitude))
            : magnitude <= long.MaxValue ? JsonValue.Create((long)magnitude) : JsonValue.Create(magnitude);
        return true;
    }

    private static bool TryMagnitude(string digits, out ulong magnitude) => digits switch
    {
        ['0', 'x' or 'X', .. var hex] => ulong.TryParse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out magnitude),
        ['0', 'b' or 'B', .. var bits] => ulong.TryParse(bits, NumberStyles.AllowBinarySpecifier, CultureInfo.InvariantCulture, out magnitude),
        ['0', 'o' or 'O', .. var octal] => TryOctal(octal, out magnitude),
        ['0', _, ..] => TryOctal(digits[1..], out magnitude),
        _ => ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out magnitude),
    };

    private static bool TryOctal(string digits, out ulong magnitude)
    {
        magnitude = 0;
        foreach (var c in digits)
        {
            if (c is < '0' or > '7' || magnitude > ulong.MaxValue >> 3)
            {
                return false;
            }

            magnitude = (magnitude << 3) | (uint)(c - '0');
        }

        return digits.Length > 0;
    }

    // [-+]? digits* .? digits+ ([eE][-+]?digits+)?, or digits followed by a point.
    private static bool IsFloat(string text)
    {
        var rest = text.AsSpan();
        rest = rest is ['+' or '-', ..] ? rest[1..] : rest;
        var exponent = rest.IndexOfAny('e', 'E');
        var mantissa = exponent < 0 ? rest : rest[..exponent];
        var point = mantissa.IndexOf('.');
        var digits = point < 0 ? mantissa : mantissa[(point + 1)..];
        return mantissa.Length > (point < 0 ? 0 : 1)
            && (point < 0 || AllDigits(mantissa[..point])) && AllDigits(digits)
            && (exponent < 0 || IsExponent(rest[(exponent + 1)..]));
    }

    private static bool IsExponent(ReadOnlySpan<char> text)
    {
        text = text is ['+' or '-', ..] ? text[1..] : text;
        return text.Length > 0 && AllDigits(text);
    }

    private static bool AllDigits(ReadOnlySpan<char> text) => !text.ContainsAnyExceptInRange('0', '9');

    private static JsonValue FromBase64(Scalar scalar)
    {
        try
        {
            return Text(Encoding.UTF8.GetString(Convert.FromBase64String(scalar.Value)));
        }
        catch (FormatException e)
        {
            throw new YamlException("!!binary value contains invalid base64 data", (int)scalar.Start.Line, e);
        }
    }

    private static JsonValue Text(string text) => JsonValue.Create(text)!;
}
