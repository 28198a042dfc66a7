using System.Text;
using System.Text.Json.Nodes;

namespace Podhost.Cel.Rules;

/// <summary>The fieldPath of a rule: <c>.field.other['key']</c>, checked against the schema.</summary>
internal static class FieldPaths
{
    /// <summary>The path to append to a field's path, or what is wrong with it.</summary>
    public static (string Path, string? Error) Resolve(string fieldPath, JsonObject schema)
    {
        var path = new StringBuilder();
        for (var at = 0; at < fieldPath.Length;)
        {
            var (name, next, error) = Step(fieldPath, at);
            if (error is not null)
            {
                return ("", error);
            }

            if (schema["properties"] is JsonObject properties)
            {
                path.Append('.').Append(name);
                schema = properties[name] as JsonObject ?? [];
                if (!properties.ContainsKey(name))
                {
                    return ("", "does not refer to a valid field");
                }
            }
            else if (schema["additionalProperties"] is JsonObject values)
            {
                path.Append('[').Append(name).Append(']');
                schema = values;
            }
            else
            {
                return ("", "does not refer to a valid field");
            }

            at = next;
        }

        return (path.ToString(), null);
    }

    private static (string Name, int Next, string? Error) Step(string text, int at)
    {
        if (text[at] == '.')
        {
            var end = text.AsSpan(at + 1).IndexOfAny('.', '[') is >= 0 and var length ? at + 1 + length : text.Length;
            return end == at + 1 ? ("", end, "unexpected end of JSON path") : (text[(at + 1)..end], end, null);
        }

        if (text[at] != '[')
        {
            return ("", at, $"expected [ or . but got: {text[at..]}");
        }

        if (at + 1 >= text.Length || text[at + 1] != '\'')
        {
            return ("", at, "expected single quoted string");
        }

        var name = new StringBuilder();
        for (var i = at + 2; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 1 < text.Length)
            {
                name.Append(text[++i]);
            }
            else if (text[i] == '\'')
            {
                return i + 1 < text.Length && text[i + 1] == ']' ? (name.ToString(), i + 2, null) : ("", i, "unexpected end of JSON path");
            }
            else
            {
                name.Append(text[i]);
            }
        }

        return ("", text.Length, "unexpected end of JSON path");
    }
}
