using System.Text;

namespace Podhost.ApiServer.Authn;

/// <summary>Comma-separated values (RFC 4180): a quoted field may hold commas, line ends and doubled quotes; empty lines are passed over.</summary>
internal static class CsvReader
{
    /// <summary>The records of a text.</summary>
    /// <exception cref="FormatException">A quote is where none may be, or is not closed; the message names the line.</exception>
    public static List<IReadOnlyList<string>> Read(string text)
    {
        var records = new List<IReadOnlyList<string>>();
        for (var at = 0; at < text.Length;)
        {
            var end = LineEnd(text, at);
            if (text.AsSpan(at, end - at).TrimEnd('\r').IsEmpty)
            {
                at = end + 1;
                continue;
            }

            records.Add(ReadRecord(text, ref at));
        }

        return records;
    }

    private static List<string> ReadRecord(string text, ref int at)
    {
        var fields = new List<string>();
        while (true)
        {
            fields.Add(at < text.Length && text[at] == '"' ? ReadQuoted(text, ref at) : ReadPlain(text, ref at));
            if (at < text.Length && text[at] == ',')
            {
                at++;
                continue;
            }

            at = LineEnd(text, at) + 1;
            return fields;
        }
    }

    private static string ReadPlain(string text, ref int at)
    {
        var end = LineEnd(text, at);
        var comma = text.IndexOf(',', at, end - at);
        var field = comma < 0 ? text[at..end].TrimEnd('\r') : text[at..comma];
        if (field.Contains('"', StringComparison.Ordinal))
        {
            throw Wrong(text, at, "bare \" in non-quoted field");
        }

        at = comma < 0 ? end : comma;
        return field;
    }

    private static string ReadQuoted(string text, ref int at)
    {
        var (start, value) = (at++, new StringBuilder());
        while (true)
        {
            var quote = at < text.Length ? text.IndexOf('"', at) : -1;
            if (quote < 0)
            {
                throw Wrong(text, start, "extraneous or missing \" in quoted-field");
            }

            value.Append(text, at, quote - at);
            at = quote + 1;
            if (at >= text.Length || text[at] != '"')
            {
                break;
            }

            value.Append('"');
            at++;
        }

        return at >= text.Length || text[at] is ',' or '\n' || text.AsSpan(at).StartsWith("\r\n")
            ? value.ToString()
            : throw Wrong(text, start, "extraneous or missing \" in quoted-field");
    }

    private static int LineEnd(string text, int from)
    {
        var end = from < text.Length ? text.IndexOf('\n', from) : -1;
        return end < 0 ? text.Length : end;
    }

    private static FormatException Wrong(string text, int at, string what) => new($"parse error on line {text.AsSpan(0, at).Count('\n') + 1}: {what}");
}
