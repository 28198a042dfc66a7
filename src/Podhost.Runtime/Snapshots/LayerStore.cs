using System.Globalization;
using Podhost.Linux.Files;
using Podhost.Runtime.Images;
using Podhost.Runtime.Images.Layers;

namespace Podhost.Runtime.Snapshots;

/// <summary>
/// Unpacked layers by chain id: layers/HEX/diff, complete or absent. A layer is unpacked in layers/.work-…, written to the disk, and
/// renamed; layers/HEX/size holds "bytes entries".
/// </summary>
internal sealed class LayerStore
{
    private const string WorkPrefix = ".work-";
    private const string TrashPrefix = ".trash-";

    private readonly string _directory;
    private readonly LayerLimits _limits;
    private readonly bool _durable;
    private readonly KeyedLock _locks = new();

    public LayerStore(string directory, LayerLimits limits, bool durable)
    {
        _directory = directory;
        _limits = limits;
        _durable = durable;
        PrivateDirectory.Create(directory);
        Directory.CreateDirectory(EmptyLayer);
    }

    /// <summary>The directory of all layers.</summary>
    public string Root => _directory;

    /// <summary>A layer without files, for images without layers and for read-only mounts of a single one.</summary>
    public string EmptyLayer => Path.Combine(_directory, "empty");

    public string DiffPath(string chainId) => Path.Combine(_directory, Digest.Hex(chainId), "diff");

    public bool Exists(string chainId) => File.Exists(SizePath(Path.Combine(_directory, Digest.Hex(chainId))));

    /// <summary>Unpacks a layer unless it is there.</summary>
    /// <param name="chainId">The layer's chain id.</param>
    /// <param name="parents">The chain ids below it, the lowest first; all unpacked.</param>
    /// <param name="blob">Opens the compressed layer.</param>
    /// <param name="diffId">The digest that the image's configuration promises for the uncompressed tar.</param>
    /// <param name="cancellationToken">Cancels and leaves nothing.</param>
    /// <exception cref="ImageException">The layer is hostile, damaged or beyond the limits.</exception>
    public async Task UnpackAsync(
        string chainId,
        IReadOnlyList<string> parents,
        Func<Stream> blob,
        string diffId,
        CancellationToken cancellationToken)
    {
        using var entered = await _locks.EnterAsync(chainId, cancellationToken);
        if (!Exists(chainId))
        {
            // Decompression and file creation block for seconds: not on a thread of the pool.
            await Task.Factory.StartNew(
                () => Unpack(chainId, parents, blob, diffId, cancellationToken),
                cancellationToken,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default);
        }
    }

    public IEnumerable<string> List() =>
        Directory.EnumerateDirectories(_directory).Select(path => "sha256:" + Path.GetFileName(path)).Where(Digest.IsValid);

    /// <summary>Takes a layer out of sight at once; <see cref="EmptyTrash"/> deletes it.</summary>
    public void Discard(string chainId) =>
        Directory.Move(Path.Combine(_directory, Digest.Hex(chainId)), Path.Combine(_directory, TrashPrefix + Guid.NewGuid().ToString("n")));

    public void EmptyTrash(CancellationToken cancellationToken) => DeleteAll(TrashPrefix, cancellationToken);

    /// <summary>Deletes what interrupted unpacking left. Only before the first one of this process.</summary>
    public void Clean(CancellationToken cancellationToken)
    {
        DeleteAll(WorkPrefix, cancellationToken);
        DeleteAll(TrashPrefix, cancellationToken);
    }

    /// <summary>Bytes and entries of all layers.</summary>
    public (long Bytes, long Entries) Measure()
    {
        var sum = (Bytes: 0L, Entries: 0L);
        foreach (var chainId in List())
        {
            try
            {
                var parts = File.ReadAllText(SizePath(Path.Combine(_directory, Digest.Hex(chainId)))).Split(' ');
                sum.Bytes += long.Parse(parts[0], CultureInfo.InvariantCulture);
                sum.Entries += long.Parse(parts[1], CultureInfo.InvariantCulture);
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                // Discarded since the listing.
            }
        }

        return sum;
    }

    private static string SizePath(string layer) => Path.Combine(layer, "size");

    private void Unpack(string chainId, IReadOnlyList<string> parents, Func<Stream> blob, string diffId, CancellationToken cancellationToken)
    {
        var work = Path.Combine(_directory, WorkPrefix + Guid.NewGuid().ToString("n"));
        try
        {
            var diff = Path.Combine(work, "diff");
            Directory.CreateDirectory(diff);
            var applied = Apply(diff, parents, blob, cancellationToken);
            if (applied.DiffId != diffId)
            {
                throw new ImageException(ImageError.Invalid, $"wrong diff id calculated on extraction \"{applied.DiffId}\", expected \"{diffId}\"");
            }

            File.WriteAllText(SizePath(work), string.Create(CultureInfo.InvariantCulture, $"{applied.Bytes} {applied.Entries}"));
            if (_durable)
            {
                using var handle = DirectoryHandle.Open(work);
                handle.SyncFileSystem();
            }

            DurableFile.Publish(work, Path.Combine(_directory, Digest.Hex(chainId)));
        }
        catch
        {
            FileTree.Delete(work, CancellationToken.None);
            throw;
        }
    }

    private AppliedLayer Apply(string diff, IReadOnlyList<string> parents, Func<Stream> blob, CancellationToken cancellationToken)
    {
        using var lower = new LowerLayers(parents.Reverse().Select(DiffPath));
        using var applier = new LayerApplier(diff, lower, _limits);
        using var layer = LayerStream.Open(blob(), _limits.MaxBytes);
        return applier.Apply(layer, cancellationToken);
    }

    private void DeleteAll(string prefix, CancellationToken cancellationToken)
    {
        foreach (var path in Directory.EnumerateDirectories(_directory, prefix + "*"))
        {
            FileTree.Delete(path, cancellationToken);
        }
    }
}
