using System.Globalization;
using System.Text;
using Podhost.Cel.Checking;
using Podhost.Cel.Values;

namespace Podhost.Cel.Functions;

/// <summary>The extended string functions, version 2.</summary>
internal static class Strings
{
    public static void AddTo(FunctionTable t)
    {
        t.Add("charAt", "string_char_at_int", "string.(int) string", a => CharAt((string)a[0], (long)a[1]));
        t.Add("indexOf", "string_index_of_string", "string.(string) int", a => IndexOf((string)a[0], (string)a[1], 0));
        t.Add("indexOf", "string_index_of_string_int", "string.(string, int) int", a => IndexOf((string)a[0], (string)a[1], (long)a[2]));
        t.Add("lastIndexOf", "string_last_index_of_string", "string.(string) int", a => LastIndexOf((string)a[0], (string)a[1], null));
        t.Add("lastIndexOf", "string_last_index_of_string_int", "string.(string, int) int", a => LastIndexOf((string)a[0], (string)a[1], (long)a[2]));
        t.Add("lowerAscii", "string_lower_ascii", "string.() string", a => Map((string)a[0], char.IsAsciiLetterUpper, char.ToLowerInvariant));
        t.Add("upperAscii", "string_upper_ascii", "string.() string", a => Map((string)a[0], char.IsAsciiLetterLower, char.ToUpperInvariant));
        t.Add("replace", "string_replace_string_string", "string.(string, string) string", a => Replace((string)a[0], (string)a[1], (string)a[2], -1));
        t.Add("replace", "string_replace_string_string_int", "string.(string, string, int) string", a => Replace((string)a[0], (string)a[1], (string)a[2], (long)a[3]));
        t.Add("split", "string_split_string", "string.(string) list(string)", a => Split((string)a[0], (string)a[1], -1));
        t.Add("split", "string_split_string_int", "string.(string, int) list(string)", a => Split((string)a[0], (string)a[1], (long)a[2]));
        t.Add("substring", "string_substring_int", "string.(int) string", a => Substring((string)a[0], (long)a[1], null));
        t.Add("substring", "string_substring_int_int", "string.(int, int) string", a => Substring((string)a[0], (long)a[1], (long)a[2]));
        t.Add("trim", "string_trim", "string.() string", a => ((string)a[0]).Trim());
        t.Add("join", "list_join", "list(string).() string", a => Join((CelList)a[0], ""));
        t.Add("join", "list_join_string", "list(string).(string) string", a => Join((CelList)a[0], (string)a[1]));
        t.Add("strings.quote", "strings_quote", "(string) string", a => Quote((string)a[0]));
        t.Add("format", "string_format", "string.(list(dyn)) string", a => Formatting.Format((string)a[0], (CelList)a[1]));
    }

    private static object CharAt(string text, long index)
    {
        var count = CodePoints.Count(text);
        return index < 0 || index > count ? OutOfRange(index)
            : index == count ? ""
            : CodePoints.Split(text[CodePoints.Offset(text, index)..]).First();
    }

    private static object IndexOf(string text, string part, long from)
    {
        if (part.Length == 0 && from >= 0 && from <= CodePoints.Count(text))
        {
            return from;
        }

        if (from < 0 || from >= CodePoints.Count(text))
        {
            return from == 0 ? -1L : OutOfRange(from);
        }

        var at = text.IndexOf(part, CodePoints.Offset(text, from), StringComparison.Ordinal);
        return at < 0 ? -1L : (long)CodePoints.Index(text, at);
    }

    private static object LastIndexOf(string text, string part, long? last)
    {
        var count = CodePoints.Count(text);
        if (last is { } wrong && (wrong < 0 || wrong >= count))
        {
            return OutOfRange(wrong);
        }

        if (part.Length == 0)
        {
            return last ?? count;
        }

        var room = Math.Min(text.Length, last is { } limit ? CodePoints.Offset(text, limit) + part.Length : text.Length);
        var at = text.AsSpan(0, room).LastIndexOf(part, StringComparison.Ordinal);
        return at < 0 ? -1L : (long)CodePoints.Index(text, at);
    }

    private static string Map(string text, Func<char, bool> applies, Func<char, char> map) =>
        string.Create(text.Length, (text, applies, map), static (span, s) =>
        {
            for (var i = 0; i < span.Length; i++)
            {
                span[i] = s.applies(s.text[i]) ? s.map(s.text[i]) : s.text[i];
            }
        });

    private static string Replace(string text, string old, string replacement, long limit)
    {
        if (limit < 0 && old.Length > 0)
        {
            return text.Replace(old, replacement, StringComparison.Ordinal);
        }

        var result = new StringBuilder();
        var at = 0;
        for (long done = 0; limit < 0 || done < limit; done++)
        {
            var next = old.Length > 0 ? text.IndexOf(old, at, StringComparison.Ordinal) : done == 0 ? 0 : NextEmpty(text, at);
            if (next < 0)
            {
                break;
            }

            result.Append(text, at, next - at).Append(replacement);
            at = next + old.Length;
        }

        return result.Append(text, at, text.Length - at).ToString();
    }

    private static int NextEmpty(string text, int at) =>
        at >= text.Length ? -1 : at + (char.IsHighSurrogate(text[at]) && at + 1 < text.Length ? 2 : 1);

    private static ArrayList Split(string text, string separator, long limit)
    {
        if (limit == 0)
        {
            return new ArrayList([]);
        }

        var count = limit is < 0 or > int.MaxValue ? int.MaxValue : (int)limit;
        if (separator.Length > 0)
        {
            return new ArrayList([.. text.Split(separator, count)]);
        }

        var points = CodePoints.Split(text).ToList();
        return points.Count <= count
            ? new ArrayList([.. points])
            : new ArrayList([.. points.Take(count - 1), string.Concat(points.Skip(count - 1))]);
    }

    private static object Substring(string text, long start, long? end)
    {
        var count = CodePoints.Count(text);
        if (start < 0 || start > count)
        {
            return OutOfRange(start);
        }

        if (end is { } last && (last < 0 || last > count))
        {
            return OutOfRange(last);
        }

        if (end < start)
        {
            return new CelError($"invalid substring range. start: {start}, end: {end}");
        }

        var from = CodePoints.Offset(text, start);
        return text[from..(end is { } to ? CodePoints.Offset(text, to) : text.Length)];
    }

    private static object Join(CelList list, string separator)
    {
        var parts = new List<string>(list.Count);
        foreach (var item in list.Items)
        {
            if (item is not string text)
            {
                return CelError.NoSuchOverload();
            }

            parts.Add(text);
        }

        return string.Join(separator, parts);
    }

    private static string Quote(string text)
    {
        var result = new StringBuilder("\"");
        foreach (var c in text)
        {
            result.Append(c switch
            {
                '\a' => "\\a",
                '\b' => "\\b",
                '\f' => "\\f",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\v' => "\\v",
                '\\' => "\\\\",
                '"' => "\\\"",
                _ => c.ToString(),
            });
        }

        return result.Append('"').ToString();
    }

    private static CelError OutOfRange(long index) => new(string.Create(CultureInfo.InvariantCulture, $"index out of range: {index}"));
}
