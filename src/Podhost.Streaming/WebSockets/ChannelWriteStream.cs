using System.Net.WebSockets;

namespace Podhost.Streaming.WebSockets;

/// <summary>The write side of one channel; a write waits for the client to take it.</summary>
/// <param name="socket">The channels' socket.</param>
/// <param name="channel">Number of the channel.</param>
/// <param name="gone">
/// The end of the connection. A caller's own cancellation is seen before a message only: a WebSocket whose send is cancelled is lost.
/// </param>
internal sealed class ChannelWriteStream(ChannelSocket socket, byte channel, CancellationToken gone) : Stream
{
    public override bool CanRead => false;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (buffer.IsEmpty)
        {
            return;
        }

        try
        {
            await socket.SendAsync(channel, buffer, gone).ConfigureAwait(false);
        }
        catch (WebSocketException e)
        {
            throw new IOException("the client is gone", e);
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("asynchronous only");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
