using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using Podhost.Linux.Files;

namespace Podhost.Runtime.Images.Content;

/// <summary>A blob on its way into the store: digested while it is written, visible only after <see cref="Commit"/>.</summary>
internal sealed class ContentIngest : IDisposable
{
    private readonly string _path;
    private readonly string _target;
    private readonly string _digest;
    private readonly SafeFileHandle _file;
    private IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    private ContentIngest(string path, string target, string digest, long size)
    {
        _path = path;
        _target = target;
        _digest = digest;
        Size = size;
        _file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
    }

    /// <summary>Bytes that are here already: where to go on.</summary>
    public long Offset { get; private set; }

    public long Size { get; }

    public static async Task<ContentIngest> OpenAsync(string path, string target, string digest, long size, CancellationToken cancellationToken)
    {
        var ingest = new ContentIngest(path, target, digest, size);
        try
        {
            await ingest.ReadExistingAsync(cancellationToken);
            return ingest;
        }
        catch
        {
            ingest.Dispose();
            throw;
        }
    }

    /// <exception cref="ImageException">More bytes than the descriptor names.</exception>
    public async ValueTask AppendAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        if (Offset + data.Length > Size)
        {
            Restart();
            throw new ImageException(ImageError.Invalid, $"blob {_digest} is larger than the {Size} bytes of its descriptor");
        }

        await RandomAccess.WriteAsync(_file, data, Offset, cancellationToken);
        _hash.AppendData(data.Span);
        Offset += data.Length;
    }

    /// <summary>Forgets what is here.</summary>
    public void Restart()
    {
        RandomAccess.SetLength(_file, 0);
        _hash.Dispose();
        _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Offset = 0;
    }

    /// <summary>Verifies size and digest and makes the blob visible and durable.</summary>
    /// <exception cref="ImageException">The content is not what the digest names; it is gone then.</exception>
    public void Commit()
    {
        if (Offset != Size)
        {
            throw new ImageException(ImageError.Invalid, $"blob {_digest} has {Offset} bytes, its descriptor says {Size}");
        }

        var actual = Digest.FromHash(_hash.GetHashAndReset());
        if (actual != _digest)
        {
            Restart();
            throw new ImageException(ImageError.Invalid, $"unexpected digest {actual} of a blob, expected {_digest}");
        }

        RandomAccess.FlushToDisk(_file);
        DurableFile.Publish(_path, _target);
    }

    public void Dispose()
    {
        _file.Dispose();
        _hash.Dispose();
    }

    private async Task ReadExistingAsync(CancellationToken cancellationToken)
    {
        if (RandomAccess.GetLength(_file) > Size)
        {
            Restart();
            return;
        }

        var buffer = new byte[128 * 1024];
        int count;
        while ((count = await RandomAccess.ReadAsync(_file, buffer, Offset, cancellationToken)) > 0)
        {
            _hash.AppendData(buffer.AsSpan(0, count));
            Offset += count;
        }
    }
}
