using System.Text;

namespace Podhost.Kubelet.Containers.Environment;

/// <summary>
/// Files that fileKeyRef reads, a part of the shell's syntax: <c>KEY='value' # comment</c>; a value may span lines, <c>#</c> starts a comment line, and
/// white space after the equals sign makes an empty value. Source: upstream's pkg/kubelet/util/env.
/// </summary>
internal static class EnvFile
{
    /// <summary>Larger files are refused: a container wrote it.</summary>
    public const int MaxBytes = 1024 * 1024;

    private const int MaxLineLength = 64 * 1024;

    /// <summary>The value of a key, or null where the file has none, or an empty one, which counts as none.</summary>
    /// <exception cref="FormatException">What comes before the key is not in this form; the message names the line.</exception>
    public static string? Find(string text, string key)
    {
        var lines = new Lines(text);
        while (lines.Next() is { } line)
        {
            line = line.TrimStart(' ', '\t');
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            var (name, value) = ReadEntry(line, lines);
            if (name == key)
            {
                return value.Length > 0 ? value : null;
            }
        }

        return null;
    }

    private static (string Name, string Value) ReadEntry(string line, Lines lines)
    {
        var equals = line.IndexOf('=', StringComparison.Ordinal);
        var name = equals < 0 ? throw lines.Wrong("missing '='") : line[..equals];
        var trimmed = name.TrimEnd(' ', '\t');
        if (trimmed.Length == 0)
        {
            throw lines.Wrong("empty variable name");
        }

        if (trimmed != name)
        {
            throw lines.Wrong("whitespace before '=' is not allowed");
        }

        var value = line[(equals + 1)..];
        return value.StartsWith(' ') || value.StartsWith('\t') ? (name, "")
            : value.StartsWith('\'') ? (name, ReadQuoted(value[1..], lines))
            : throw lines.Wrong("value must be enclosed in single quotes");
    }

    private static string ReadQuoted(string rest, Lines lines)
    {
        var start = lines.Number;
        var value = new StringBuilder();
        int close;
        while ((close = rest.IndexOf('\'', StringComparison.Ordinal)) < 0)
        {
            value.Append(rest).Append('\n');
            rest = lines.Next() ?? throw new FormatException($"invalid environment variable format starting at line {start}: unclosed single quote");
        }

        var after = rest[(close + 1)..].TrimStart(' ', '\t');
        return after.Length == 0 || after[0] == '#' ? value.Append(rest[..close]).ToString() : throw lines.Wrong("unexpected content after closing quote");
    }

    /// <summary>The lines of a text, without their ends.</summary>
    private sealed class Lines(string text)
    {
        private int _at;

        /// <summary>The number of the line that was read last, from 1.</summary>
        public int Number { get; private set; }

        public string? Next()
        {
            if (_at >= text.Length)
            {
                return null;
            }

            var end = text.IndexOf('\n', _at);
            end = end < 0 ? text.Length : end;
            var line = text[_at..end];
            _at = end + 1;
            Number++;
            return line.Length >= MaxLineLength ? throw Wrong("the line is too long") : line.EndsWith('\r') ? line[..^1] : line;
        }

        public FormatException Wrong(string what) => new($"invalid environment variable format at line {Number}: {what}");
    }
}
