using System.Text;
using System.Text.RegularExpressions;

namespace Podhost.Api.CustomResources;

/// <summary>Patterns in the syntax of Go's regexp (RE2), run without backtracking: a pattern of a definition cannot stall the server.</summary>
/// <remarks>https://github.com/google/re2/wiki/Syntax. Where both syntaxes write the same differently, the pattern is rewritten.</remarks>
internal static class GoPattern
{
    private static readonly Dictionary<string, string> Posix = new(StringComparer.Ordinal)
    {
        ["alnum"] = "0-9A-Za-z", ["alpha"] = "A-Za-z", ["ascii"] = @"\x00-\x7F", ["blank"] = @"\t ", ["cntrl"] = @"\x00-\x1F\x7F",
        ["digit"] = "0-9", ["graph"] = "!-~", ["lower"] = "a-z", ["print"] = " -~", ["punct"] = @"!-/:-@\[-`{-~",
        ["space"] = @"\t\n\v\f\r ", ["upper"] = "A-Z", ["word"] = "0-9A-Za-z_", ["xdigit"] = "0-9A-Fa-f",
    };

    /// <summary>The compiled pattern, or null with the reason.</summary>
    public static Regex? TryCompile(string pattern, out string error)
    {
        try
        {
            error = "";
            return new Regex(Translate(pattern), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            error = e.Message;
            return null;
        }
    }

    /// <summary>The same pattern in .NET's syntax.</summary>
    internal static string Translate(string pattern)
    {
        var result = new StringBuilder(pattern.Length + 16);
        var inClass = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            var c = pattern[i];
            if (c == '\\' && i + 1 < pattern.Length)
            {
                i += Escape(pattern, i, inClass, result);
            }
            else if (inClass)
            {
                i += InClass(pattern, i, ref inClass, result);
            }
            else if (c == '[')
            {
                inClass = true;
                i += OpenClass(pattern, i, result);
            }
            else if (c == '$')
            {
                result.Append(@"\z");
            }
            else if (c == '(' && string.CompareOrdinal(pattern, i, "(?P<", 0, 4) == 0)
            {
                result.Append("(?<");
                i += 3;
            }
            else
            {
                result.Append(c);
            }
        }

        return result.ToString();
    }

    // The characters after the bracket that belong to it: a caret, and a bracket that is meant literally.
    private static int OpenClass(string pattern, int i, StringBuilder result)
    {
        var start = i;
        result.Append('[');
        if (i + 1 < pattern.Length && pattern[i + 1] == '^')
        {
            result.Append('^');
            i++;
        }

        if (i + 1 < pattern.Length && pattern[i + 1] == ']')
        {
            result.Append(@"\]");
            i++;
        }

        return i - start;
    }

    private static int InClass(string pattern, int i, ref bool inClass, StringBuilder result)
    {
        if (pattern[i] == '[' && i + 1 < pattern.Length && pattern[i + 1] == ':' && pattern.IndexOf(":]", i + 2, StringComparison.Ordinal) is var end and > 0
            && Posix.TryGetValue(pattern[(i + 2)..end], out var members))
        {
            result.Append(members);
            return end + 1 - i;
        }

        inClass = pattern[i] != ']';
        result.Append(pattern[i] == '[' ? @"\[" : pattern[i]);
        return 0;
    }

    // Go's classes are ASCII.
    private static int Escape(string pattern, int i, bool inClass, StringBuilder result)
    {
        var members = pattern[i + 1] switch { 'd' or 'D' => "0-9", 'w' or 'W' => "0-9A-Za-z_", 's' or 'S' => @"\t\n\f\r ", _ => null };
        switch (pattern[i + 1])
        {
            case 'd' or 'w' or 's':
                result.Append(inClass ? members : $"[{members}]");
                return 1;
            case 'D' or 'W' or 'S' when !inClass:
                result.Append($"[^{members}]");
                return 1;
            case 'p' or 'P' when i + 2 < pattern.Length && pattern[i + 2] != '{':
                result.Append(pattern, i, 2).Append('{').Append(pattern[i + 2]).Append('}');
                return 2;
            case 'Q':
                var end = pattern.IndexOf(@"\E", i + 2, StringComparison.Ordinal);
                result.Append(Regex.Escape(end < 0 ? pattern[(i + 2)..] : pattern[(i + 2)..end]));
                return (end < 0 ? pattern.Length : end + 2) - i - 1;
            case 'z':
                result.Append(@"\z");
                return 1;
            default:
                result.Append(pattern, i, 2);
                return 1;
        }
    }
}
