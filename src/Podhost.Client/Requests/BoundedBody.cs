using System.Buffers;

namespace Podhost.Client.Requests;

/// <summary>Reads a body up to a bound.</summary>
internal static class BoundedBody
{
    /// <exception cref="HttpRequestException">The body is longer, or the connection broke.</exception>
    internal static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpContent content, int most, CancellationToken cancellationToken)
    {
        if (content.Headers.ContentLength > most)
        {
            throw TooLong(most);
        }

        var buffer = new ArrayBufferWriter<byte>((int)Math.Clamp(content.Headers.ContentLength ?? 16384, 256, most));
        try
        {
            var stream = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                int read;
                while ((read = await stream.ReadAsync(buffer.GetMemory(8192), cancellationToken).ConfigureAwait(false)) > 0)
                {
                    buffer.Advance(read);
                    if (buffer.WrittenCount > most)
                    {
                        throw TooLong(most);
                    }
                }
            }
        }
        catch (IOException e)
        {
            throw new HttpRequestException("the connection broke within the answer", e);
        }

        return buffer.WrittenMemory;
    }

    private static HttpRequestException TooLong(int most) => new($"the answer is longer than {most} bytes");
}
