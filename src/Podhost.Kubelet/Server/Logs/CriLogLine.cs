using System.Globalization;
using System.Text;

namespace Podhost.Kubelet.Server.Logs;

/// <summary>The head of a line in CRI's log format: <c>2026-01-02T03:04:05.123456789Z stdout F content</c>; P marks a line that goes on in the next.</summary>
/// <param name="Timestamp">As written.</param>
/// <param name="IsStderr">stderr, else stdout.</param>
/// <param name="IsPartial">The content goes on.</param>
/// <param name="ContentStart">Where the content begins.</param>
internal readonly record struct CriLogLine(string Timestamp, bool IsStderr, bool IsPartial, int ContentStart)
{
    /// <summary>Longest head: time stamp, stream, tags.</summary>
    public const int MaxHead = 128;

    /// <summary>Parses a line without its newline.</summary>
    /// <returns>False for what is no CRI line.</returns>
    public static bool TryParse(ReadOnlySpan<byte> line, out CriLogLine result)
    {
        result = default;
        var first = line.IndexOf((byte)' ');
        if (first is < 20 or > 64)
        {
            return false;
        }

        var rest = line[(first + 1)..];
        var second = rest.IndexOf((byte)' ');
        if (second < 0 || !(rest[..second].SequenceEqual("stdout"u8) || rest[..second].SequenceEqual("stderr"u8)))
        {
            return false;
        }

        var isStderr = rest[5] == (byte)'r';
        var tagsStart = first + second + 2;
        var tags = line[tagsStart..];
        var third = tags.IndexOf((byte)' ');
        var end = third < 0 ? tags.Length : third;
        if (end == 0 || (tags[0] is not ((byte)'F' or (byte)'P')) || (end > 1 && tags[1] != (byte)':'))
        {
            return false;
        }

        result = new CriLogLine(Encoding.ASCII.GetString(line[..first]), isStderr, tags[0] == (byte)'P', Math.Min(line.Length, tagsStart + end + 1));
        return true;
    }

    /// <summary>The time stamp; null where it is none.</summary>
    public DateTimeOffset? Time => ParseTime(Timestamp);

    /// <summary>RFC 3339 with up to nanoseconds, cut to .NET's 100 ns.</summary>
    public static DateTimeOffset? ParseTime(string text)
    {
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        if (dot > 0)
        {
            var end = dot + 1;
            while (end < text.Length && char.IsAsciiDigit(text[end]))
            {
                end++;
            }

            text = text[..Math.Min(end, dot + 8)] + text[end..];
        }

        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
    }
}
