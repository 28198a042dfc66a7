using System.Buffers;
using System.Buffers.Binary;

namespace Podhost.Streaming.Spdy;

/// <summary>Writes whole frames, one at a time: a slow peer makes writers wait, and nothing is queued.</summary>
/// <remarks>
/// A caller's cancellation ends its wait for the turn; a frame that was begun is cut only by <paramref name="lifetime"/>, the end of the whole
/// connection, because half a frame would spoil all that follows.
/// </remarks>
internal sealed class SpdyWriter(Stream transport, SpdyLimits limits, CancellationToken lifetime)
{
    private readonly SemaphoreSlim turn = new(1, 1);
    private readonly SpdyHeaderEncoder encoder = new();

    /// <summary>Opens a stream.</summary>
    public Task SynStreamAsync(int streamId, SpdyHeaders headers, SpdyFlags flags, CancellationToken cancellationToken) =>
        HeadersFrameAsync(SpdyFrameType.SynStream, streamId, headers, flags, extra: 6, cancellationToken);

    /// <summary>Accepts a stream.</summary>
    public Task SynReplyAsync(int streamId, SpdyHeaders headers, SpdyFlags flags, CancellationToken cancellationToken) =>
        HeadersFrameAsync(SpdyFrameType.SynReply, streamId, headers, flags, extra: 0, cancellationToken);

    /// <summary>Refuses or aborts a stream.</summary>
    public Task RstStreamAsync(int streamId, SpdyRstStatus status, CancellationToken cancellationToken) =>
        WordsAsync(SpdyFrameType.RstStream, streamId, (int)status, cancellationToken);

    /// <summary>Announces the end of the connection.</summary>
    public Task GoAwayAsync(int lastStreamId, SpdyGoAwayStatus status, CancellationToken cancellationToken) =>
        WordsAsync(SpdyFrameType.GoAway, lastStreamId, (int)status, cancellationToken);

    /// <summary>Sends or answers a ping.</summary>
    public Task PingAsync(uint id, CancellationToken cancellationToken) =>
        WordsAsync(SpdyFrameType.Ping, (int)id, null, cancellationToken);

    /// <summary>Sends data in frames of bounded length; <paramref name="fin"/> on the last.</summary>
    public async Task DataAsync(int streamId, ReadOnlyMemory<byte> data, bool fin, CancellationToken cancellationToken)
    {
        do
        {
            var n = Math.Min(data.Length, limits.MaxSentData);
            var last = n == data.Length;
            var frame = ArrayPool<byte>.Shared.Rent(SpdyFrameHeader.Size + n);
            try
            {
                SpdyFrameHeader.WriteData(frame, streamId, fin && last ? SpdyFlags.Fin : SpdyFlags.None, n);
                data[..n].CopyTo(frame.AsMemory(SpdyFrameHeader.Size));
                await WriteAsync(frame.AsMemory(0, SpdyFrameHeader.Size + n), cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(frame);
            }

            data = data[n..];
        }
        while (!data.IsEmpty);
    }

    private async Task HeadersFrameAsync(
        SpdyFrameType type, int streamId, SpdyHeaders headers, SpdyFlags flags, int extra, CancellationToken cancellationToken)
    {
        // The block must be encoded in the order of the wire: the peer's zlib context sees all blocks as one stream.
        await EnterAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var block = encoder.Encode(headers);
            var length = 4 + extra + block.Length;
            var frame = new byte[SpdyFrameHeader.Size + length];
            SpdyFrameHeader.WriteControl(frame, type, flags, length);
            BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(8), streamId);
            block.CopyTo(frame.AsSpan(12 + extra));
            await transport.WriteAsync(frame, lifetime).ConfigureAwait(false);
            await transport.FlushAsync(lifetime).ConfigureAwait(false);
        }
        finally
        {
            turn.Release();
        }
    }

    private Task WordsAsync(SpdyFrameType type, int first, int? second, CancellationToken cancellationToken)
    {
        var length = second is null ? 4 : 8;
        var frame = new byte[SpdyFrameHeader.Size + length];
        SpdyFrameHeader.WriteControl(frame, type, SpdyFlags.None, length);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(8), first);
        if (second is { } value)
        {
            BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(12), value);
        }

        return WriteAsync(frame, cancellationToken);
    }

    private async ValueTask EnterAsync(CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime);
        await turn.WaitAsync(either.Token).ConfigureAwait(false);
    }

    private async Task WriteAsync(ReadOnlyMemory<byte> frame, CancellationToken cancellationToken)
    {
        await EnterAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await transport.WriteAsync(frame, lifetime).ConfigureAwait(false);
            await transport.FlushAsync(lifetime).ConfigureAwait(false);
        }
        finally
        {
            turn.Release();
        }
    }
}
