namespace Podhost.Runtime.Images.Registry;

/// <summary>Reads of response bodies that neither grow without bound nor stall forever.</summary>
internal static class BoundedBody
{
    /// <exception cref="ImageException">The body is larger than the limit.</exception>
    public static async Task<byte[]> ReadAsync(HttpContent content, int limit, TimeSpan stall, TimeProvider time, CancellationToken cancellationToken)
    {
        if (content.Headers.ContentLength > limit)
        {
            throw TooLarge(limit);
        }

        await using var body = await content.ReadAsStreamAsync(cancellationToken);
        using var result = new MemoryStream();
        var buffer = new byte[16 * 1024];
        int count;
        while ((count = await ReadAsync(body, buffer, stall, time, cancellationToken)) > 0)
        {
            if (result.Length + count > limit)
            {
                throw TooLarge(limit);
            }

            result.Write(buffer.AsSpan(0, count));
        }

        return result.ToArray();
    }

    /// <summary>One read; no bytes within the stall time are an IOException.</summary>
    public static async Task<int> ReadAsync(Stream body, Memory<byte> buffer, TimeSpan stall, TimeProvider time, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(stall, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            return await body.ReadAsync(buffer, linked.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"no data for {stall.TotalSeconds:0} s", e);
        }
    }

    private static ImageException TooLarge(int limit) => new(ImageError.TooLarge, $"response has more than {limit} bytes");
}
