using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Podhost.Linux.Native;

namespace Podhost.Linux.Polling;

/// <summary>
/// A pipe or terminal as a stream that waits without holding a thread. The descriptor becomes non-blocking and belongs to the stream.
/// </summary>
public sealed class DescriptorStream : Stream
{
    private readonly SafeFileHandle _handle;
    private readonly CancellationTokenSource _closed = new();

    /// <summary>Takes a descriptor.</summary>
    /// <param name="handle">A pipe's end, or a terminal's master.</param>
    /// <param name="canRead">It can be read.</param>
    /// <param name="canWrite">It can be written to.</param>
    public DescriptorStream(SafeFileHandle handle, bool canRead, bool canWrite)
    {
        Descriptors.SetNonBlocking(handle);
        (_handle, CanRead, CanWrite) = (handle, canRead, canWrite);
    }

    /// <inheritdoc/>
    public override bool CanRead { get; }

    /// <inheritdoc/>
    public override bool CanWrite { get; }

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var count = TryRead(buffer.Span);
            if (count >= 0)
            {
                return count;
            }

            await WaitAsync(write: false, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            var count = TryWrite(buffer.Span);
            if (count > 0)
            {
                buffer = buffer[count..];
            }
            else
            {
                await WaitAsync(write: true, cancellationToken);
            }
        }
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("read asynchronously");

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("write asynchronously");

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_closed.IsCancellationRequested)
        {
            _closed.Cancel();
            _handle.Dispose();
        }

        base.Dispose(disposing);
    }

    private async ValueTask WaitAsync(bool write, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_closed.IsCancellationRequested, this);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closed.Token);
        try
        {
            await (write
                ? DescriptorPoller.Shared.WaitWritableAsync(_handle, either.Token)
                : DescriptorPoller.Shared.WaitReadableAsync(_handle, either.Token));
        }
        catch (OperationCanceledException) when (_closed.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new ObjectDisposedException(nameof(DescriptorStream));
        }
    }

    private unsafe int TryRead(Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            return Attempt(Libc.read(Borrow(), start, (nuint)buffer.Length), "read", endOn: Errno.EIO);
        }
    }

    private unsafe int TryWrite(ReadOnlySpan<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            return Attempt(Libc.write(Borrow(), start, (nuint)buffer.Length), "write", endOn: null);
        }
    }

    private int Borrow()
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        return Descriptors.Number(_handle);
    }

    // -1: would block. A terminal's master reports the end of the other side as an I/O error.
    private static int Attempt(nint result, string operation, int? endOn)
    {
        if (result >= 0)
        {
            return (int)result;
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno is Errno.EAGAIN or Errno.EINTR ? -1 : errno == endOn ? 0 : throw new LinuxException(errno, operation);
    }
}
