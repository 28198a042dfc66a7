using Podhost.Linux.Files;

namespace Podhost.Runtime.Images.Content;

/// <summary>
/// Blobs by digest: content/sha256/HEX, complete and verified, or absent. What is being received lies in content/ingest/HEX, survives
/// a crash and is continued there.
/// </summary>
internal sealed class ContentStore
{
    private readonly string _blobs;
    private readonly string _ingest;

    public ContentStore(string directory)
    {
        _blobs = Path.Combine(directory, "sha256");
        _ingest = Path.Combine(directory, "ingest");
        PrivateDirectory.Create(directory);
        Directory.CreateDirectory(_blobs);
        Directory.CreateDirectory(_ingest);
    }

    public bool Exists(string digest) => File.Exists(BlobPath(digest));

    public string BlobPath(string digest) => Path.Combine(_blobs, Digest.Hex(digest));

    public FileStream OpenRead(string digest) =>
        new(BlobPath(digest), FileMode.Open, FileAccess.Read, FileShare.Read, 128 * 1024, FileOptions.SequentialScan);

    /// <summary>Reads a small blob; null when it is absent.</summary>
    public async Task<byte[]?> ReadAsync(string digest, CancellationToken cancellationToken)
    {
        try
        {
            return await File.ReadAllBytesAsync(BlobPath(digest), cancellationToken);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Stores a small blob whose digest the caller computed.</summary>
    public Task WriteAsync(string digest, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        Exists(digest) ? Task.CompletedTask : DurableFile.WriteAsync(BlobPath(digest), content, cancellationToken);

    /// <summary>Begins or continues to receive a blob. One caller at a time for a digest.</summary>
    public Task<ContentIngest> BeginAsync(string digest, long size, CancellationToken cancellationToken) =>
        ContentIngest.OpenAsync(Path.Combine(_ingest, Digest.Hex(digest)), BlobPath(digest), digest, size, cancellationToken);

    /// <summary>Takes a complete file, whose digest the caller computed, by a hard link: it must be on the same file system.</summary>
    public void Link(string file, string digest)
    {
        using (var handle = File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite))
        {
            RandomAccess.FlushToDisk(handle);
        }

        using var source = DirectoryHandle.Open(Path.GetDirectoryName(file)!);
        using var target = DirectoryHandle.Open(_blobs);
        try
        {
            target.CreateHardLink(PathBytes.From(Digest.Hex(digest)), source, PathBytes.From(Path.GetFileName(file)));
        }
        catch (FileSystemException e) when (e.Errno == Errno.EEXIST)
        {
            // A pull brought the same blob meanwhile.
        }

        target.Sync();
    }

    public void Delete(string digest) => File.Delete(BlobPath(digest));

    /// <summary>The digests of all complete blobs.</summary>
    public IEnumerable<string> List() =>
        Directory.EnumerateFiles(_blobs).Select(path => "sha256:" + Path.GetFileName(path)).Where(Digest.IsValid);

    /// <summary>Deletes what was begun before the given time and never finished, and leftovers of interrupted writes.</summary>
    public void Prune(DateTime oldest)
    {
        foreach (var path in Directory.EnumerateFiles(_ingest).Where(path => File.GetLastWriteTimeUtc(path) < oldest))
        {
            File.Delete(path);
        }

        foreach (var path in Directory.EnumerateFiles(_blobs, "*.new"))
        {
            File.Delete(path);
        }
    }

    /// <summary>Bytes and files of all blobs, complete or not.</summary>
    public (long Bytes, long Files) Measure()
    {
        var files = new DirectoryInfo(_blobs).EnumerateFiles().Concat(new DirectoryInfo(_ingest).EnumerateFiles());
        return files.Aggregate((Bytes: 0L, Files: 0L), (sum, file) => (sum.Bytes + (file.Exists ? file.Length : 0), sum.Files + 1));
    }
}
