using System.Net;
using Podhost.Runtime.Images.Content;

namespace Podhost.Runtime.Images.Registry;

/// <summary>
/// Downloads blobs. A broken download goes on where it broke, in this call or the next one; attempts are counted anew whenever
/// bytes arrived, so a slow line ends and a dead one does not last.
/// </summary>
internal sealed class RegistryBlobSource(RegistrySession session, ContentStore content, KeyedLock locks) : IBlobSource
{
    private const int BufferSize = 128 * 1024;

    public async Task FetchAsync(Descriptor blob, Action<long> received, CancellationToken cancellationToken)
    {
        // Two pulls of one blob fetch it once: the second finds it when the first lets go.
        using var entered = await locks.EnterAsync(blob.Digest, cancellationToken);
        if (content.Exists(blob.Digest))
        {
            return;
        }

        using var ingest = await content.BeginAsync(blob.Digest, blob.Size, cancellationToken);
        for (var attempt = 1; ingest.Offset < ingest.Size || ingest.Size == 0; attempt++)
        {
            var before = ingest.Offset;
            try
            {
                await DownloadAsync(blob, ingest, received, cancellationToken);
                break;
            }
            catch (Exception e) when (e is IOException or HttpRequestException)
            {
                attempt = ingest.Offset > before ? 1 : attempt;
                if (attempt >= session.Retry.MaxAttempts)
                {
                    throw new ImageException(ImageError.Unavailable, $"failed to copy {blob.Digest}: {e.Message}", e);
                }
            }

            await session.Retry.PauseAsync(attempt, null, cancellationToken);
        }

        ingest.Commit();
    }

    private async Task DownloadAsync(Descriptor blob, ContentIngest ingest, Action<long> received, CancellationToken cancellationToken)
    {
        using var response = await session.OpenBlobAsync(blob, ingest.Offset, cancellationToken);
        if (ingest.Offset > 0 && !Continues(response, ingest.Offset))
        {
            ingest.Restart();
        }

        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[BufferSize];
        int count;
        while ((count = await BoundedBody.ReadAsync(body, buffer, session.StallTimeout, session.Time, cancellationToken)) > 0)
        {
            await ingest.AppendAsync(buffer.AsMemory(0, count), cancellationToken);
            received(ingest.Offset);
        }

        if (ingest.Offset < ingest.Size)
        {
            throw new IOException($"the connection ended after {ingest.Offset} of {ingest.Size} bytes");
        }
    }

    // A server that does not know ranges sends everything.
    private static bool Continues(HttpResponseMessage response, long offset) =>
        response.StatusCode == HttpStatusCode.PartialContent && response.Content.Headers.ContentRange?.From == offset;
}
