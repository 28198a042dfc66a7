using Microsoft.Extensions.Logging;
using Podhost.Cri.Services;
using Podhost.Linux.Files;
using Podhost.Runtime.Images.Content;
using Podhost.Runtime.Images.Loading;
using Podhost.Runtime.Images.Registry;
using Podhost.Runtime.Snapshots;

namespace Podhost.Runtime.Images;

/// <summary>The embedded image service with everything around it: what the composition root builds and disposes.</summary>
public sealed class EmbeddedImages : IDisposable
{
    // Half a download from the day before yesterday is not worth its space.
    private static readonly TimeSpan UnfinishedLifetime = TimeSpan.FromDays(1);

    private readonly ImagePuller _puller;
    private readonly RootfsService _rootfs;
    private readonly FileStream _lock;

    private EmbeddedImages(
        ImageService service, ImageCatalog catalog, RootfsService rootfs, ImagePuller puller, ImageLoader loader, FileStream directoryLock)
    {
        _lock = directoryLock;
        Service = service;
        Loader = loader;
        Catalog = catalog;
        _rootfs = rootfs;
        _puller = puller;
    }

    /// <summary>CRI's image service.</summary>
    public IImageService Service { get; }

    /// <summary>The images with their configurations.</summary>
    public IImageCatalog Catalog { get; }

    /// <summary>Loads images from archives.</summary>
    public IImageLoader Loader { get; }

    /// <summary>Root file systems of containers.</summary>
    public IRootfsService Rootfs => _rootfs;

    /// <summary>Opens the directory and cleans what a crash left there.</summary>
    /// <exception cref="IOException">The directory cannot be used, or another process uses it.</exception>
    /// <exception cref="InvalidDataException">The image records are damaged.</exception>
    public static async Task<EmbeddedImages> OpenAsync(
        EmbeddedImagesOptions options,
        TimeProvider time,
        Random random,
        ILoggerFactory loggers,
        CancellationToken cancellationToken)
    {
        options = options with { Directory = Path.GetFullPath(options.Directory) };
        Directory.CreateDirectory(options.Directory);
        var directoryLock = Lock(options.Directory);
        try
        {
            return await OpenLockedAsync(options, directoryLock, time, random, loggers, cancellationToken);
        }
        catch
        {
            await directoryLock.DisposeAsync();
            throw;
        }
    }

    /// <summary>Closes connections. Mounts stay: containers outlive this process.</summary>
    public void Dispose()
    {
        _puller.Dispose();
        _rootfs.Dispose();
        _lock.Dispose();
    }

    // Two processes would delete each other's work and overwrite each other's records. The kernel frees the lock of a killed one.
    private static FileStream Lock(string directory)
    {
        try
        {
            return new FileStream(Path.Combine(directory, "images.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (Directory.Exists(directory))
        {
            throw new IOException($"the images in {directory} are in use by another process", e);
        }
    }

    private static async Task<EmbeddedImages> OpenLockedAsync(
        EmbeddedImagesOptions options,
        FileStream directoryLock,
        TimeProvider time,
        Random random,
        ILoggerFactory loggers,
        CancellationToken cancellationToken)
    {
        var content = new ContentStore(Path.Combine(options.Directory, "content"));
        content.Prune((time.GetUtcNow() - UnfinishedLifetime).UtcDateTime);
        var layers = new LayerStore(Path.Combine(options.Directory, "layers"), options.LayerLimits, options.DurableLayers);
        layers.Clean(cancellationToken);
        var records = await ImageRecords.OpenAsync(Path.Combine(options.Directory, "images.json"), cancellationToken);
        var catalog = new ImageCatalog(records);
        var holds = new Holds();
        var rootfs = new RootfsService(Path.Combine(options.Directory, "rootfs"), layers, catalog, holds, options.VolatileRootfs);
        rootfs.Restore(cancellationToken);

        var progress = options.Progress ?? (_ => { });
        var assembler = new ImageAssembler(content, layers, records, holds, options.MaxParallelDownloads);
        var puller = new ImagePuller(options.Registry, content, assembler, progress, time, random);
        var collector = new ImageCollector(content, layers, records, holds);
        var service = new ImageService(
            catalog, records, puller, collector, content, layers, rootfs, options.Directory, time, loggers.CreateLogger<ImageService>());
        var loader = OpenLoader(options, content, assembler, progress, cancellationToken);
        return new EmbeddedImages(service, catalog, rootfs, puller, loader, directoryLock);
    }

    private static ImageLoader OpenLoader(
        EmbeddedImagesOptions options,
        ContentStore content,
        ImageAssembler assembler,
        Action<PullProgress> progress,
        CancellationToken cancellationToken)
    {
        var work = Path.Combine(options.Directory, "load");
        FileTree.Delete(work, cancellationToken);
        return new ImageLoader(content, assembler, work, options.LayerLimits.MaxBytes, progress);
    }
}
