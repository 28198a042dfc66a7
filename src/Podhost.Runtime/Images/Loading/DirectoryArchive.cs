using System.Security.Cryptography;
using Podhost.Runtime.Images.Content;

namespace Podhost.Runtime.Images.Loading;

/// <summary>An image layout in a directory.</summary>
internal sealed class DirectoryArchive(string directory) : IArchive
{
    public bool Contains(string name) => File.Exists(FilePath(name));

    public async Task<byte[]> ReadAsync(string name, int limit, CancellationToken cancellationToken)
    {
        await using var file = Open(name);
        if (file.Length > limit)
        {
            throw new ImageException(ImageError.TooLarge, $"{name} has more than {limit} bytes");
        }

        var bytes = new byte[file.Length];
        await file.ReadExactlyAsync(bytes, cancellationToken);
        return bytes;
    }

    public async Task<Descriptor> DescribeAsync(string name, string mediaType, CancellationToken cancellationToken)
    {
        await using var file = Open(name);
        var hash = await SHA256.HashDataAsync(file, cancellationToken);
        return new Descriptor(mediaType, Digest.FromHash(hash), file.Length);
    }

    public async Task StoreAsync(string name, Descriptor descriptor, ContentStore content, CancellationToken cancellationToken)
    {
        await using var file = Open(name);
        using var ingest = await content.BeginAsync(descriptor.Digest, descriptor.Size, cancellationToken);
        ingest.Restart();
        var buffer = new byte[128 * 1024];
        int count;
        while ((count = await file.ReadAsync(buffer, cancellationToken)) > 0)
        {
            await ingest.AppendAsync(buffer.AsMemory(0, count), cancellationToken);
        }

        ingest.Commit();
    }

    public void Dispose()
    {
    }

    private FileStream Open(string name)
    {
        try
        {
            return new FileStream(FilePath(name), FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ImageException(ImageError.Invalid, $"image archive lacks {name}", e);
        }
    }

    // Names come from the layout's own documents.
    private string FilePath(string name) => name.StartsWith('/') || name.Split('/').Contains("..")
        ? throw new ImageException(ImageError.Invalid, $"image archive names a file outside of it: {name}")
        : Path.Combine(directory, name);
}
