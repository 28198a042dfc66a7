using System.IO.Compression;
using System.Security.Cryptography;
using ZstdSharp;

namespace Podhost.Runtime.Images.Layers;

/// <summary>
/// The uncompressed bytes of a layer: counts them against the bound and digests them (the diff ID). The compression is told by the
/// first bytes, as media types lie.
/// </summary>
internal sealed class LayerStream : Stream
{
    private readonly Stream _plain;
    private readonly long _maxBytes;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _count;

    private LayerStream(Stream plain, long maxBytes)
    {
        _plain = plain;
        _maxBytes = maxBytes;
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _count;
        set => throw new NotSupportedException();
    }

    /// <summary>Opens a seekable file; disposing the result disposes the file.</summary>
    public static LayerStream Open(Stream file, long maxBytes)
    {
        Span<byte> magic = stackalloc byte[4];
        var length = file.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
        file.Position = 0;
        return new LayerStream(Decompress(file, magic[..length]), maxBytes);
    }

    /// <summary>Reads to the end, so that the digest covers everything, and returns the digest.</summary>
    public string Finish(CancellationToken cancellationToken)
    {
        var waste = new byte[64 * 1024];
        while (Read(waste) > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
        }

        return Images.Digest.FromHash(_hash.GetHashAndReset());
    }

    public override int Read(Span<byte> buffer)
    {
        int count;
        try
        {
            count = _plain.Read(buffer);
        }
        catch (Exception e) when (e is InvalidDataException or ZstdException or EndOfStreamException)
        {
            throw new ImageException(ImageError.Invalid, "invalid compressed layer: " + e.Message, e);
        }

        _hash.AppendData(buffer[..count]);
        _count += count;
        return _count <= _maxBytes
            ? count
            : throw new ImageException(ImageError.TooLarge, $"layer has more than {_maxBytes} uncompressed bytes");
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _plain.Dispose();
            _hash.Dispose();
        }

        base.Dispose(disposing);
    }

    private static Stream Decompress(Stream file, ReadOnlySpan<byte> magic) => magic switch
    {
        [0x1f, 0x8b, ..] => new GZipStream(file, CompressionMode.Decompress),
        [0x28, 0xb5, 0x2f, 0xfd] => new DecompressionStream(file, leaveOpen: false),
        _ => file,
    };
}
