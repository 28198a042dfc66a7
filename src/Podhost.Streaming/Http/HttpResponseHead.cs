using System.Globalization;
using System.Text;

namespace Podhost.Streaming.Http;

/// <summary>Status line and headers of an HTTP/1.1 response.</summary>
/// <param name="StatusCode">100 to 599.</param>
/// <param name="Headers">In the order of the wire.</param>
public sealed record HttpResponseHead(int StatusCode, IReadOnlyList<KeyValuePair<string, string>> Headers)
{
    /// <summary>Longest head that is read, in bytes.</summary>
    public const int MaxLength = 64 * 1024;

    private static readonly byte[] End = "\r\n\r\n"u8.ToArray();

    /// <summary>The first value of a header, or null.</summary>
    public string? this[string name] =>
        Headers.FirstOrDefault(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    /// <summary>Reads a head; the stream that is returned goes on right behind it, with the body or the upgraded connection.</summary>
    /// <exception cref="InvalidDataException">It is malformed or too long.</exception>
    public static async Task<(HttpResponseHead Head, Stream Body)> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[4096];
        var length = 0;
        while (true)
        {
            var n = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
            if (n == 0)
            {
                throw new InvalidDataException("the server closed the connection before it answered");
            }

            var from = Math.Max(0, length - End.Length + 1);
            length += n;
            var end = buffer.AsSpan(from, length - from).IndexOf(End);
            if (end >= 0)
            {
                end += from;
                var head = Parse(Encoding.Latin1.GetString(buffer, 0, end));
                return (head, new PrefixedStream(buffer[(end + End.Length)..length], stream));
            }

            if (length == buffer.Length)
            {
                if (length >= MaxLength)
                {
                    throw new InvalidDataException("the server's answer has too long a head");
                }

                Array.Resize(ref buffer, length * 2);
            }
        }
    }

    /// <summary>Parses a head without its empty line.</summary>
    /// <exception cref="InvalidDataException">It is malformed.</exception>
    internal static HttpResponseHead Parse(string text)
    {
        var lines = text.Split("\r\n");
        var status = lines[0].Split(' ', 3);
        if (status.Length < 2 || !status[0].StartsWith("HTTP/1.", StringComparison.Ordinal)
            || !int.TryParse(status[1], NumberStyles.None, CultureInfo.InvariantCulture, out var code) || code is < 100 or > 599)
        {
            throw new InvalidDataException("the server's answer is not HTTP/1.1");
        }

        var headers = new List<KeyValuePair<string, string>>();
        foreach (var line in lines.Skip(1))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || line[0] is ' ' or '\t' || line[..colon].Any(c => c is <= ' ' or > '~'))
            {
                throw new InvalidDataException("the server's answer has a malformed header");
            }

            var value = line[(colon + 1)..].Trim();
            if (value.Any(c => c is '\r' or '\n' or '\0'))
            {
                throw new InvalidDataException("the server's answer has a malformed header");
            }

            headers.Add(new(line[..colon], value));
        }

        return new HttpResponseHead(code, headers);
    }
}
