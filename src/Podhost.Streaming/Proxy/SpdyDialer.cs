using System.Text;
using Podhost.Streaming.Http;
using Podhost.Streaming.Spdy;

namespace Podhost.Streaming.Proxy;

/// <summary>The client's half of an upgrade to SPDY/3.1.</summary>
internal static class SpdyDialer
{
    private const int MaxRefusal = 4096;
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(30);

    /// <summary>A connection on which the client opens the streams, and the protocol that the server chose among the offered ones.</summary>
    /// <exception cref="IOException">No connection, or the server refuses; the message has its words.</exception>
    public static async Task<(SpdyConnection Connection, string Protocol)> DialAsync(
        Uri target, IReadOnlyList<string> offered, TimeProvider time, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(HandshakeTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var transport = await UpstreamConnection.DialAsync(target, null, either.Token).ConfigureAwait(false);
            try
            {
                return await UpgradeAsync(transport, target, offered, time, either.Token).ConfigureAwait(false);
            }
            catch
            {
                await transport.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            throw new IOException($"{target.Authority} did not answer in {HandshakeTimeout.TotalSeconds} s");
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or InvalidDataException)
        {
            throw new IOException($"{target.Authority}: {e.Message}", e);
        }
    }

    private static async Task<(SpdyConnection Connection, string Protocol)> UpgradeAsync(
        UpstreamConnection transport, Uri target, IReadOnlyList<string> offered, TimeProvider time, CancellationToken cancellationToken)
    {
        await transport.Stream.WriteAsync(RequestHead(target, offered), cancellationToken).ConfigureAwait(false);
        await transport.Stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        var (head, rest) = await HttpResponseHead.ReadAsync(transport.Stream, cancellationToken).ConfigureAwait(false);
        if (head.StatusCode != 101)
        {
            var body = new BoundedText(MaxRefusal);
            await HttpResponseBody.CopyAsync(head, rest, body, cancellationToken).ConfigureAwait(false);
            throw new IOException($"{target.Authority} refused the session with {head.StatusCode}: {body.Text}");
        }

        // A server that names none speaks the oldest, which had no name in the header.
        return (new SpdyConnection(rest, isServer: false, new SpdyLimits(), time), head["X-Stream-Protocol-Version"] ?? "");
    }

    private static byte[] RequestHead(Uri target, IReadOnlyList<string> offered)
    {
        var head = new StringBuilder(512);
        head.Append("POST ").Append(target.PathAndQuery).Append(" HTTP/1.1\r\nHost: ").Append(target.Authority);
        head.Append("\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nContent-Length: 0\r\n");
        foreach (var protocol in offered)
        {
            head.Append("X-Stream-Protocol-Version: ").Append(protocol).Append("\r\n");
        }

        return Encoding.Latin1.GetBytes(head.Append("\r\n").ToString());
    }

    /// <summary>Keeps the first bytes of a refusal for the message.</summary>
    private sealed class BoundedText(int most) : MemoryStream
    {
        public string Text => Encoding.UTF8.GetString(GetBuffer(), 0, (int)Length).Trim();

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Write(buffer.Span[..Math.Min(buffer.Length, most - (int)Length)]);
            return ValueTask.CompletedTask;
        }
    }
}
