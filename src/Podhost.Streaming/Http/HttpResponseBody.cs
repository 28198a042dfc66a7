using System.Globalization;
using System.Text;

namespace Podhost.Streaming.Http;

/// <summary>Copies the body of an HTTP/1.1 response: by length, chunked, or to the end of the connection.</summary>
public static class HttpResponseBody
{
    private const int MaxChunkLine = 256;

    /// <summary>Copies the body of <paramref name="head"/> from <paramref name="source"/>.</summary>
    /// <exception cref="InvalidDataException">The body is malformed or cut short.</exception>
    public static async Task CopyAsync(HttpResponseHead head, Stream source, Stream destination, CancellationToken cancellationToken)
    {
        if (head.StatusCode is 204 or 304)
        {
            return;
        }

        if (head["Transfer-Encoding"] is { } encoding)
        {
            if (!encoding.Equals("chunked", StringComparison.OrdinalIgnoreCase))
            {
                throw new InvalidDataException($"transfer encoding {encoding} is not supported");
            }

            await CopyChunkedAsync(source, destination, cancellationToken).ConfigureAwait(false);
        }
        else if (head["Content-Length"] is { } text)
        {
            if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var length))
            {
                throw new InvalidDataException("malformed Content-Length");
            }

            await CopyExactlyAsync(source, destination, length, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await source.CopyToAsync(destination, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task CopyChunkedAsync(Stream source, Stream destination, CancellationToken cancellationToken)
    {
        while (true)
        {
            var line = await ReadLineAsync(source, cancellationToken).ConfigureAwait(false);
            var size = line.Split(';')[0].Trim();
            if (!long.TryParse(size, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var length) || length < 0)
            {
                throw new InvalidDataException("malformed chunk");
            }

            if (length == 0)
            {
                return; // trailers, if any, are dropped with the connection
            }

            await CopyExactlyAsync(source, destination, length, cancellationToken).ConfigureAwait(false);
            if ((await ReadLineAsync(source, cancellationToken).ConfigureAwait(false)).Length != 0)
            {
                throw new InvalidDataException("malformed chunk");
            }
        }
    }

    private static async Task CopyExactlyAsync(Stream source, Stream destination, long length, CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        while (length > 0)
        {
            var n = await source.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, length)), cancellationToken).ConfigureAwait(false);
            if (n == 0)
            {
                throw new InvalidDataException("the server's answer was cut short");
            }

            await destination.WriteAsync(buffer.AsMemory(0, n), cancellationToken).ConfigureAwait(false);
            length -= n;
        }
    }

    private static async Task<string> ReadLineAsync(Stream source, CancellationToken cancellationToken)
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (line.Length < MaxChunkLine)
        {
            if (await source.ReadAsync(one, cancellationToken).ConfigureAwait(false) == 0)
            {
                throw new InvalidDataException("the server's answer was cut short");
            }

            if (one[0] == (byte)'\n')
            {
                return line.ToString().TrimEnd('\r');
            }

            line.Append((char)one[0]);
        }

        throw new InvalidDataException("malformed chunk");
    }
}
