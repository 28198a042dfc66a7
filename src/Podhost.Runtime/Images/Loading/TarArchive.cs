using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Podhost.Linux.Files;
using Podhost.Runtime.Images.Content;
using Podhost.Runtime.Images.Layers;

namespace Podhost.Runtime.Images.Loading;

/// <summary>
/// An image archive, unpacked into a directory of ours under numbers: a name of the archive never becomes a path. Digests are
/// computed on the way, and blobs enter the content store as hard links.
/// </summary>
internal sealed class TarArchive : IArchive
{
    private const int MaxFiles = 20_000;

    // A link to a link to a layer: docker save wrote one level.
    private const int MaxLinks = 4;

    private readonly string _directory;
    private readonly Dictionary<string, StoredFile> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _links = new(StringComparer.Ordinal);

    private TarArchive(string directory) => _directory = directory;

    private readonly record struct StoredFile(string Path, string Digest, long Size);

    public static async Task<TarArchive> OpenAsync(string path, string workDirectory, long maxBytes, CancellationToken cancellationToken)
    {
        var archive = new TarArchive(Path.Combine(workDirectory, Guid.NewGuid().ToString("n")));
        Directory.CreateDirectory(archive._directory);
        try
        {
            await Task.Factory.StartNew(
                () => archive.Extract(path, maxBytes, cancellationToken),
                cancellationToken,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default);
            return archive;
        }
        catch
        {
            archive.Dispose();
            throw;
        }
    }

    public bool Contains(string name) => Find(name) is not null;

    public async Task<byte[]> ReadAsync(string name, int limit, CancellationToken cancellationToken)
    {
        var file = Required(name);
        return file.Size <= limit
            ? await File.ReadAllBytesAsync(file.Path, cancellationToken)
            : throw new ImageException(ImageError.TooLarge, $"{name} has more than {limit} bytes");
    }

    public Task<Descriptor> DescribeAsync(string name, string mediaType, CancellationToken cancellationToken)
    {
        var file = Required(name);
        return Task.FromResult(new Descriptor(mediaType, file.Digest, file.Size));
    }

    public Task StoreAsync(string name, Descriptor descriptor, ContentStore content, CancellationToken cancellationToken)
    {
        var file = Required(name);
        if (file.Digest != descriptor.Digest || file.Size != descriptor.Size)
        {
            throw new ImageException(ImageError.Invalid, $"unexpected digest {file.Digest} of {name}, expected {descriptor.Digest}");
        }

        content.Link(file.Path, descriptor.Digest);
        return Task.CompletedTask;
    }

    public void Dispose() => FileTree.Delete(_directory, CancellationToken.None);

    private static string Clean(string name) =>
        string.Join('/', name.Split('/').Where(part => part.Length > 0 && part != "."));

    private StoredFile Required(string name) =>
        Find(name) ?? throw new ImageException(ImageError.Invalid, $"image archive lacks {name}");

    private StoredFile? Find(string name)
    {
        name = Clean(name);
        for (var links = 0; links <= MaxLinks; links++)
        {
            if (_files.TryGetValue(name, out var file))
            {
                return file;
            }

            if (!_links.TryGetValue(name, out var target))
            {
                return null;
            }

            name = target;
        }

        return null;
    }

    private void Extract(string path, long maxBytes, CancellationToken cancellationToken)
    {
        using var stream = LayerStream.Open(File.OpenRead(path), maxBytes);
        var reader = new TarStreamReader(stream);
        var buffer = new byte[256 * 1024];
        while (reader.ReadNext() is { } entry)
        {
            if (_files.Count + _links.Count >= MaxFiles)
            {
                throw new ImageException(ImageError.TooLarge, $"image archive has more than {MaxFiles} files");
            }

            var name = Clean(Encoding.UTF8.GetString(entry.Name));
            switch (entry.Kind)
            {
                case TarEntryKind.RegularFile:
                    _files[name] = Write(reader, buffer, cancellationToken);
                    break;
                case TarEntryKind.HardLink:
                    _links[name] = Clean(Encoding.UTF8.GetString(entry.LinkName));
                    break;
                case TarEntryKind.SymbolicLink:
                    _links[name] = Resolve(name, Encoding.UTF8.GetString(entry.LinkName));
                    break;
            }
        }
    }

    // Relative to the link's directory; leaving the archive finds nothing.
    private static string Resolve(string name, string target)
    {
        var parts = new List<string>(name.Split('/')[..^1]);
        foreach (var part in target.Split('/'))
        {
            if (part == ".." && parts.Count > 0)
            {
                parts.RemoveAt(parts.Count - 1);
            }
            else if (part.Length > 0 && part != ".")
            {
                parts.Add(part);
            }
        }

        return string.Join('/', parts);
    }

    private StoredFile Write(TarStreamReader reader, byte[] buffer, CancellationToken cancellationToken)
    {
        var path = Path.Combine(_directory, _files.Count.ToString(CultureInfo.InvariantCulture));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
        long size = 0;
        int count;
        while ((count = reader.ReadData(buffer)) > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            RandomAccess.Write(file, buffer.AsSpan(0, count), size);
            hash.AppendData(buffer, 0, count);
            size += count;
        }

        return new StoredFile(path, Digest.FromHash(hash.GetHashAndReset()), size);
    }
}
