namespace Podhost.Runtime.Streaming;

/// <summary>One direction of conmon's attach socket, for a terminal: one stream of bytes each way. Closing it does not end the attachment.</summary>
internal sealed class AttachmentStream(ConmonAttachment attachment, bool write) : Stream
{
    private readonly byte[] _packet = write ? [] : new byte[ConmonAttachment.PacketSize];
    private int _start;
    private int _end;

    public override bool CanRead => !write;

    public override bool CanWrite => write;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_start == _end)
        {
            // The first byte of a packet names the stream, and a terminal has but one.
            (_start, _end) = (1, await attachment.ReceiveAsync(_packet, cancellationToken));
            if (_end == 0)
            {
                _start = 0;
                return 0;
            }
        }

        var count = Math.Min(buffer.Length, _end - _start);
        _packet.AsMemory(_start, count).CopyTo(buffer);
        _start += count;
        return count;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        for (var done = 0; done < buffer.Length;)
        {
            var count = Math.Min(buffer.Length - done, ConmonAttachment.InputSize);
            await attachment.SendAsync(buffer.Slice(done, count), cancellationToken);
            done += count;
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("read asynchronously");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("write asynchronously");

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
