namespace Podhost.Kubelet.Containers.Environment;

/// <summary>Files that fileKeyRef reads: <c>KEY='value'</c> a line, a value may span lines, <c>#</c> starts a comment line.</summary>
internal static class EnvFile
{
    /// <summary>Larger files are refused: a container wrote it.</summary>
    public const int MaxBytes = 1024 * 1024;

    private const int MaxKeyLength = 128;

    /// <summary>The value of a key, or null where the file has none.</summary>
    /// <exception cref="FormatException">The file is not in this form; the message names the line.</exception>
    public static string? Find(string text, string key)
    {
        var line = 1;
        for (var at = 0; at < text.Length;)
        {
            var end = LineEnd(text, at);
            var entry = text.AsSpan(at, end - at).TrimStart();
            if (entry.IsWhiteSpace() || entry[0] == '#')
            {
                at = end + 1;
                line++;
                continue;
            }

            var start = end - entry.Length;
            var (name, value, next) = ReadEntry(text, start, end, line);
            if (name == key)
            {
                return value;
            }

            line += text.AsSpan(at, Math.Min(next, text.Length) - at).Count('\n');
            at = next;
        }

        return null;
    }

    private static (string Name, string Value, int Next) ReadEntry(string text, int start, int end, int line)
    {
        var equals = text.IndexOf('=', start, end - start);
        if (equals <= start || equals - start > MaxKeyLength || text.AsSpan(start, equals - start).ContainsAnyExceptInRange('!', '~'))
        {
            throw new FormatException($"line {line}: expected KEY='value'");
        }

        if (equals + 1 >= text.Length || text[equals + 1] != '\'')
        {
            throw new FormatException($"line {line}: the value must be in single quotes");
        }

        var close = text.IndexOf('\'', equals + 2);
        if (close < 0)
        {
            throw new FormatException($"line {line}: the closing quote is missing");
        }

        var rest = LineEnd(text, close + 1);
        if (!text.AsSpan(close + 1, rest - close - 1).IsWhiteSpace())
        {
            throw new FormatException($"line {line}: something follows the closing quote");
        }

        return (text[start..equals], text[(equals + 2)..close], rest + 1);
    }

    private static int LineEnd(string text, int from)
    {
        var end = from < text.Length ? text.IndexOf('\n', from) : -1;
        return end < 0 ? text.Length : end;
    }
}
