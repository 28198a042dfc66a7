using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Podhost.Api.Yaml;

/// <summary>JSON to YAML in block style, as kubectl prints it: sorted keys, lists at the indentation of their key.</summary>
public static class YamlWriter
{
    /// <summary>The YAML of one document, ending with a line feed.</summary>
    public static string Write(JsonNode? node)
    {
        var text = new StringBuilder();
        WriteNode(text, node, 0, "");
        return text.ToString();
    }

    // "lead" is what stands between the parent and a value on the same line: nothing at the root, a space after "key:" or "-".
    private static void WriteNode(StringBuilder text, JsonNode? node, int indent, string lead)
    {
        switch (node)
        {
            case JsonObject { Count: 0 }:
                text.Append(lead).Append("{}\n");
                break;
            case JsonArray { Count: 0 }:
                text.Append(lead).Append("[]\n");
                break;
            case JsonObject obj:
                WriteObject(text, obj, indent, startsLine: lead.Length == 0);
                break;
            case JsonArray list:
                WriteList(text, list, indent, startsLine: lead.Length == 0);
                break;
            default:
                text.Append(lead);
                WriteScalar(text, node, indent);
                break;
        }
    }

    private static void WriteObject(StringBuilder text, JsonObject obj, int indent, bool startsLine)
    {
        foreach (var (key, value) in obj.OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            if (startsLine)
            {
                text.Append(' ', indent);
            }

            startsLine = true;
            text.Append(YamlText.Inline(key)).Append(':');
            var isBlock = value is JsonObject { Count: > 0 } or JsonArray { Count: > 0 };
            if (isBlock)
            {
                text.Append('\n');
            }

            WriteNode(text, value, value is JsonArray ? indent : indent + 2, isBlock ? "" : " ");
        }
    }

    private static void WriteList(StringBuilder text, JsonArray list, int indent, bool startsLine)
    {
        foreach (var item in list)
        {
            if (startsLine)
            {
                text.Append(' ', indent);
            }

            startsLine = true;
            text.Append('-');
            if (item is JsonObject { Count: > 0 } or JsonArray { Count: > 0 })
            {
                text.Append(' ');
            }

            WriteNode(text, item, indent + 2, " ");
        }
    }

    private static void WriteScalar(StringBuilder text, JsonNode? node, int indent)
    {
        var value = node as JsonValue;
        if (value is not null && value.GetValueKind() == JsonValueKind.String)
        {
            YamlText.Append(text, value.GetValue<string>(), indent);
        }
        else
        {
            text.Append(value?.ToJsonString() ?? "null");
        }

        text.Append('\n');
    }
}

/// <summary>How strings are written: plain where they stay strings, literal blocks for lines, quotes otherwise.</summary>
internal static class YamlText
{
    private const string LeadingIndicators = "-?:,[]{}#&*!|>'\"%@` ";

    public static string Inline(string s) => s switch
    {
        _ when s.Any(NeedsEscape) || s.Contains('\n', StringComparison.Ordinal) || !YamlScalars.IsStringWhenPlain(s) => DoubleQuoted(s),
        _ when IsPlainSafe(s) => s,
        _ => "'" + s.Replace("'", "''", StringComparison.Ordinal) + "'",
    };

    public static void Append(StringBuilder text, string s, int indent)
    {
        if (!CanBeLiteral(s))
        {
            text.Append(Inline(s));
            return;
        }

        var body = s.TrimEnd('\n');
        var trailing = s.Length - body.Length;
        text.Append('|').Append(trailing switch { 0 => "-", 1 => "", _ => "+" });
        foreach (var line in (trailing > 1 ? s[..^1] : body).Split('\n'))
        {
            text.Append('\n');
            if (line.Length > 0)
            {
                text.Append(' ', indent).Append(line);
            }
        }
    }

    private static bool CanBeLiteral(string s) => s.Contains('\n', StringComparison.Ordinal)
        && s[0] is not ('\n' or ' ' or '\t') && !s.Any(c => c != '\n' && NeedsEscape(c))
        && !s.Contains(" \n", StringComparison.Ordinal);

    private static bool NeedsEscape(char c) => (c < ' ' && c != '\n') || c is '\u007f' or '\u0085' or '\u2028' or '\u2029' or '\ufeff';

    private static bool IsPlainSafe(string s)
    {
        var first = s[0];
        if (s[^1] is ' ' or ':' || s is "---" or "..." || s.StartsWith("--- ", StringComparison.Ordinal))
        {
            return false;
        }

        var leadingIsSafe = !LeadingIndicators.Contains(first, StringComparison.Ordinal)
            || (first is '-' or '?' or ':' && s.Length > 1 && s[1] is not (' ' or '[' or ']' or '{' or '}' or ','));
        return leadingIsSafe && !s.Contains(": ", StringComparison.Ordinal) && !s.Contains(" #", StringComparison.Ordinal);
    }

    private static string DoubleQuoted(string s)
    {
        var text = new StringBuilder("\"");
        foreach (var c in s)
        {
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                _ when NeedsEscape(c) => text.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture)),
                _ => text.Append(c),
            };
        }

        return text.Append('"').ToString();
    }
}
