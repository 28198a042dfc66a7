using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Podhost.Streaming.Spdy;

/// <summary>
/// One SPDY/3.1 connection as moby/spdystream speaks it: no per-stream windows (that library neither keeps nor sends them), so slow readers
/// press back by the connection not being read; WINDOW_UPDATE and SETTINGS are accepted and ignored.
/// </summary>
internal sealed class SpdyConnection : IAsyncDisposable
{
    private readonly Stream transport;
    private readonly bool isServer;
    private readonly SpdyLimits limits;
    private readonly TimeProvider time;
    private readonly SpdyHeaderDecoder decoder;
    private readonly ConcurrentDictionary<int, SpdyStream> streams = new();
    private readonly Channel<SpdyStream> incoming;
    private readonly CancellationTokenSource lifetime = new();
    private int lastRemoteId;
    private int nextLocalId;

    public SpdyConnection(Stream transport, bool isServer, SpdyLimits limits, TimeProvider time)
    {
        this.transport = transport;
        this.isServer = isServer;
        this.limits = limits;
        this.time = time;
        decoder = new SpdyHeaderDecoder(limits);
        Writer = new SpdyWriter(transport, limits, lifetime.Token);
        incoming = Channel.CreateBounded<SpdyStream>(limits.MaxStreams);
        nextLocalId = isServer ? 2 : 1;
    }

    /// <summary>Streams that the peer opened, in order; ends with the connection. Each must be accepted or reset.</summary>
    public ChannelReader<SpdyStream> Incoming => incoming.Reader;

    internal SpdyWriter Writer { get; }

    /// <summary>Streams open now.</summary>
    internal int StreamCount => streams.Count;

    /// <summary>Reads until the peer ends the connection, breaks the protocol (thrown) or <paramref name="cancellationToken"/> is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var ping = new PeriodicTimer(limits.PingInterval, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var pinging = PingAsync(ping, stop);
        try
        {
            await ReadFramesAsync(stop.Token).ConfigureAwait(false);
        }
        catch (SpdyProtocolException)
        {
            await TryGoAwayAsync(SpdyGoAwayStatus.ProtocolError).ConfigureAwait(false);
            throw;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await pinging.ConfigureAwait(false);
            await lifetime.CancelAsync().ConfigureAwait(false);
            incoming.Writer.TryComplete();
            foreach (var stream in streams.Values)
            {
                stream.OnAborted();
            }
        }
    }

    /// <summary>Opens a stream; <see cref="SpdyStream.Replied"/> tells when the peer took it.</summary>
    public async Task<SpdyStream> OpenAsync(SpdyHeaders headers, CancellationToken cancellationToken)
    {
        var id = Interlocked.Add(ref nextLocalId, 2) - 2;
        var stream = new SpdyStream(this, id, headers, limits.MaxStreamBuffer, localClosed: false);
        streams[id] = stream;
        await Writer.SynStreamAsync(id, headers, SpdyFlags.None, cancellationToken).ConfigureAwait(false);
        return stream;
    }

    /// <summary>Tells the peer that no more streams are taken.</summary>
    public Task GoAwayAsync(CancellationToken cancellationToken) =>
        Writer.GoAwayAsync(lastRemoteId, SpdyGoAwayStatus.Ok, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await lifetime.CancelAsync().ConfigureAwait(false);
        await transport.DisposeAsync().ConfigureAwait(false);
    }

    internal void Forget(int id) => streams.TryRemove(id, out _);

    private async Task TryGoAwayAsync(SpdyGoAwayStatus status)
    {
        try
        {
            using var brief = new CancellationTokenSource(TimeSpan.FromSeconds(1), time);
            await Writer.GoAwayAsync(lastRemoteId, status, brief.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The connection ends either way.
        }
    }

    private async Task PingAsync(PeriodicTimer timer, CancellationTokenSource stop)
    {
        var id = isServer ? 2u : 1u;
        try
        {
            while (await timer.WaitForNextTickAsync(stop.Token).ConfigureAwait(false))
            {
                await Writer.PingAsync(id, stop.Token).ConfigureAwait(false);
                id += 2;
            }
        }
        catch (OperationCanceledException)
        {
            // The connection ended.
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The peer is gone: end the read loop, which may be waiting for a slow reader and would not see it.
            await stop.CancelAsync().ConfigureAwait(false);
        }
    }

    private async Task ReadFramesAsync(CancellationToken cancellationToken)
    {
        var head = new byte[SpdyFrameHeader.Size];
        while (await FillAsync(head, atStart: true, cancellationToken).ConfigureAwait(false))
        {
            var header = SpdyFrameHeader.Parse(head);
            if (header.Type == SpdyFrameType.Data)
            {
                await ReadDataAsync(header, cancellationToken).ConfigureAwait(false);
                continue;
            }

            if (header.Length > limits.MaxControlFrame)
            {
                throw new SpdyProtocolException($"control frame of {header.Length} bytes");
            }

            var payload = new byte[header.Length];
            await FillAsync(payload, atStart: false, cancellationToken).ConfigureAwait(false);
            if (header.Type == SpdyFrameType.GoAway)
            {
                // spdystream stops reading here too: what was received before has been handed on already.
                return;
            }

            await HandleControlAsync(header, payload, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<bool> FillAsync(Memory<byte> buffer, bool atStart, CancellationToken cancellationToken)
    {
        var n = await transport.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        if (n == buffer.Length)
        {
            return true;
        }

        return n == 0 && atStart ? false : throw new SpdyProtocolException("the connection ended inside a frame");
    }

    private async Task ReadDataAsync(SpdyFrameHeader header, CancellationToken cancellationToken)
    {
        // A stream that ended on our side may still be written to by a peer that does not know it yet: its data is dropped.
        streams.TryGetValue(header.StreamId, out var stream);
        if (stream is { Discards: true })
        {
            stream = null;
        }

        var remaining = header.Length;
        byte[]? dropped = null;
        while (remaining > 0)
        {
            var size = Math.Min(remaining, 16 * 1024);
            var memory = stream is null ? (dropped ??= new byte[size]).AsMemory(0, Math.Min(size, dropped.Length)) : stream.Inbox.GetMemory(size)[..size];
            var n = await transport.ReadAsync(memory, cancellationToken).ConfigureAwait(false);
            if (n == 0)
            {
                throw new SpdyProtocolException("the connection ended inside a frame");
            }

            remaining -= n;
            if (stream is not null && !await DeliverAsync(stream, n, cancellationToken).ConfigureAwait(false))
            {
                stream = null;
            }
        }

        if (header.Flags.HasFlag(SpdyFlags.Fin) && streams.TryGetValue(header.StreamId, out stream))
        {
            stream.OnRemoteClosed();
        }
    }

    private static async Task<bool> DeliverAsync(SpdyStream stream, int count, CancellationToken cancellationToken)
    {
        stream.Inbox.Advance(count);
        var flushed = await stream.Inbox.FlushAsync(cancellationToken).ConfigureAwait(false);
        return !flushed.IsCanceled && !stream.Discards;
    }

    private Task HandleControlAsync(SpdyFrameHeader header, byte[] payload, CancellationToken cancellationToken)
    {
        switch (header.Type)
        {
            case SpdyFrameType.SynStream:
                return OnSynStreamAsync(header, payload, cancellationToken);
            case SpdyFrameType.SynReply:
                OnSynReply(header, payload);
                return Task.CompletedTask;
            case SpdyFrameType.Headers:
                OnHeaders(header, payload);
                return Task.CompletedTask;
            case SpdyFrameType.RstStream:
                OnRst(payload);
                return Task.CompletedTask;
            case SpdyFrameType.Ping:
                return OnPingAsync(payload, cancellationToken);
            default:
                return Task.CompletedTask; // SETTINGS, WINDOW_UPDATE and unknown types are ignored (section 2.2.1)
        }
    }

    private async Task OnSynStreamAsync(SpdyFrameHeader header, byte[] payload, CancellationToken cancellationToken)
    {
        if (payload.Length < 10)
        {
            throw new SpdyProtocolException("short SYN_STREAM");
        }

        var id = StreamId(payload);
        var headers = decoder.Decode(payload.AsSpan(10));
        var fromPeer = id > 0 && id % 2 == (isServer ? 1 : 0);
        if (!fromPeer || id <= lastRemoteId)
        {
            throw new SpdyProtocolException($"SYN_STREAM of stream {id} after {lastRemoteId}");
        }

        lastRemoteId = id;
        if (streams.Count >= limits.MaxStreams)
        {
            await Writer.RstStreamAsync(id, SpdyRstStatus.RefusedStream, cancellationToken).ConfigureAwait(false);
            return;
        }

        var stream = new SpdyStream(this, id, headers, limits.MaxStreamBuffer, header.Flags.HasFlag(SpdyFlags.Unidirectional));
        streams[id] = stream;
        if (header.Flags.HasFlag(SpdyFlags.Fin))
        {
            stream.OnRemoteClosed();
        }

        if (!incoming.Writer.TryWrite(stream))
        {
            await stream.ResetAsync(SpdyRstStatus.RefusedStream, cancellationToken).ConfigureAwait(false);
        }
    }

    private void OnSynReply(SpdyFrameHeader header, byte[] payload)
    {
        if (payload.Length < 4)
        {
            throw new SpdyProtocolException("short SYN_REPLY");
        }

        decoder.Decode(payload.AsSpan(4));
        if (streams.TryGetValue(StreamId(payload), out var stream))
        {
            stream.OnReply();
            CloseIfFin(header, stream);
        }
    }

    private void OnHeaders(SpdyFrameHeader header, byte[] payload)
    {
        if (payload.Length < 4)
        {
            throw new SpdyProtocolException("short HEADERS");
        }

        // Later headers carry nothing for these protocols, but the compression context must see them.
        decoder.Decode(payload.AsSpan(4));
        if (streams.TryGetValue(StreamId(payload), out var stream))
        {
            CloseIfFin(header, stream);
        }
    }

    private void OnRst(byte[] payload)
    {
        if (payload.Length != 8)
        {
            throw new SpdyProtocolException("RST_STREAM of a wrong length");
        }

        if (streams.TryGetValue(StreamId(payload), out var stream))
        {
            stream.OnAborted();
        }
    }

    private async Task OnPingAsync(byte[] payload, CancellationToken cancellationToken)
    {
        if (payload.Length != 4)
        {
            throw new SpdyProtocolException("PING of a wrong length");
        }

        var id = BinaryPrimitives.ReadUInt32BigEndian(payload);
        var ours = id % 2 == (isServer ? 0u : 1u);
        if (!ours)
        {
            await Writer.PingAsync(id, cancellationToken).ConfigureAwait(false);
        }
    }

    private static void CloseIfFin(SpdyFrameHeader header, SpdyStream stream)
    {
        if (header.Flags.HasFlag(SpdyFlags.Fin))
        {
            stream.OnRemoteClosed();
        }
    }

    private static int StreamId(ReadOnlySpan<byte> payload) => (int)(BinaryPrimitives.ReadUInt32BigEndian(payload) & 0x7fff_ffff);
}
