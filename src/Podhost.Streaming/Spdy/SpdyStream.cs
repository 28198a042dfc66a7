using System.IO.Pipelines;

namespace Podhost.Streaming.Spdy;

/// <summary>
/// One stream of a connection. Reads end (0) when the peer half-closes or the connection ends; writes wait for a slow peer and fail once the
/// stream was reset. Disposing half-closes the write side and drops what was not read.
/// </summary>
internal sealed class SpdyStream : Stream
{
    private readonly SpdyConnection connection;
    private readonly Pipe received;
    private readonly TaskCompletionSource replied = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock gate = new();
    private bool localClosed;
    private bool remoteClosed;
    private bool reset;
    private volatile bool discarding;

    internal SpdyStream(SpdyConnection connection, int id, SpdyHeaders headers, int buffer, bool localClosed)
    {
        this.connection = connection;
        this.localClosed = localClosed;
        Id = id;
        Headers = headers;
        received = new Pipe(new PipeOptions(pauseWriterThreshold: buffer, resumeWriterThreshold: buffer / 2, useSynchronizationContext: false));
    }

    /// <summary>Odd for streams of the client.</summary>
    public int Id { get; }

    /// <summary>Headers of the SYN_STREAM.</summary>
    public SpdyHeaders Headers { get; }

    /// <summary>Completes with the peer's SYN_REPLY; fails where the stream is refused.</summary>
    public Task Replied => replied.Task;

    /// <summary>Where the connection's read loop puts received data.</summary>
    internal PipeWriter Inbox => received.Writer;

    /// <summary>True where received data has no reader any more.</summary>
    internal bool Discards
    {
        get
        {
            lock (gate)
            {
                return remoteClosed || reset || discarding;
            }
        }
    }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Accepts the stream that the peer opened.</summary>
    public Task AcceptAsync(CancellationToken cancellationToken) =>
        connection.Writer.SynReplyAsync(Id, new SpdyHeaders(), SpdyFlags.None, cancellationToken);

    /// <summary>Half-closes: the peer reads to the end of what was written. Idempotent.</summary>
    public async Task CloseWriteAsync(CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (localClosed || reset)
            {
                return;
            }

            localClosed = true;
        }

        await connection.Writer.DataAsync(Id, ReadOnlyMemory<byte>.Empty, fin: true, cancellationToken).ConfigureAwait(false);
        ForgetIfClosed();
    }

    /// <summary>Aborts both directions.</summary>
    public async Task ResetAsync(SpdyRstStatus status, CancellationToken cancellationToken)
    {
        if (MarkReset())
        {
            StopReading();
            await connection.Writer.RstStreamAsync(Id, status, cancellationToken).ConfigureAwait(false);
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty || discarding)
        {
            return 0;
        }

        var result = await received.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        var slice = result.Buffer.Slice(0, Math.Min(buffer.Length, result.Buffer.Length));
        var offset = 0;
        foreach (var segment in slice)
        {
            segment.CopyTo(buffer[offset..]);
            offset += segment.Length;
        }

        received.Reader.AdvanceTo(slice.End);
        return offset;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
        {
            return;
        }

        lock (gate)
        {
            if (localClosed || reset)
            {
                throw new IOException("the stream is closed");
            }
        }

        await connection.Writer.DataAsync(Id, buffer, fin: false, cancellationToken).ConfigureAwait(false);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("asynchronous only");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("asynchronous only");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        StopReading();
        try
        {
            await CloseWriteAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The connection is gone: nobody is left to be told.
        }

        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Drops what was received and what still comes; a read that waits ends.</summary>
    /// <remarks>
    /// The pipe's writer belongs to the read loop and its reader to the consumer, so neither is completed from here: both are woken instead.
    /// </remarks>
    internal void StopReading()
    {
        discarding = true;
        received.Writer.CancelPendingFlush();
        received.Reader.CancelPendingRead();
    }

    internal void OnReply() => replied.TrySetResult();

    /// <summary>The peer half-closed. Called by the read loop only.</summary>
    internal void OnRemoteClosed()
    {
        lock (gate)
        {
            remoteClosed = true;
        }

        received.Writer.Complete();
        ForgetIfClosed();
    }

    /// <summary>The peer reset the stream, or the connection ended. Called by the read loop only.</summary>
    internal void OnAborted()
    {
        MarkReset();
        received.Writer.Complete();
        replied.TrySetException(new IOException("the stream was refused or the connection ended"));
        _ = replied.Task.Exception; // observed here: not every opener waits for the reply
    }

    private bool MarkReset()
    {
        lock (gate)
        {
            if (reset)
            {
                return false;
            }

            reset = true;
        }

        connection.Forget(Id);
        return true;
    }

    private void ForgetIfClosed()
    {
        lock (gate)
        {
            if (!localClosed || !remoteClosed)
            {
                return;
            }
        }

        connection.Forget(Id);
    }
}
