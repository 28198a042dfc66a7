using System.Collections.Concurrent;
using Grpc.Core;
using Podhost.Linux.Files;
using Podhost.Linux.Mounts;
using Podhost.Linux.Native;
using Podhost.Runtime.Images;
using Podhost.Runtime.Images.Content;

namespace Podhost.Runtime.Snapshots;

/// <summary>
/// Root file systems: rootfs/KEY/{rootfs.json,upper,work,merged}. The record is there before anything is mounted and holds the
/// layers; removal renames the directory first, so a half-deleted one is never found again.
/// </summary>
internal sealed class RootfsService : IRootfsService, IDisposable
{
    private const string TrashPrefix = ".trash-";

    private readonly string _directory;
    private readonly LayerStore _layers;
    private readonly IImageCatalog _images;
    private readonly Holds _holds;
    private readonly string _mountOptions;
    private readonly KeyedLock _locks = new();
    private readonly ConcurrentDictionary<string, IDisposable> _held = new();

    public RootfsService(string directory, LayerStore layers, IImageCatalog images, Holds holds, bool isVolatile)
    {
        _directory = directory;
        _layers = layers;
        _images = images;
        _holds = holds;

        // index=off: lower layers are shared by containers, and no NFS export needs the index.
        _mountOptions = isVolatile ? "index=off,volatile" : "index=off";
        PrivateDirectory.Create(directory);
    }

    /// <summary>Takes over what an earlier process left: known root file systems hold their layers, interrupted ones go.</summary>
    public void Restore(CancellationToken cancellationToken)
    {
        foreach (var path in Directory.EnumerateDirectories(_directory))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var key = Path.GetFileName(path);
            if (key.StartsWith(TrashPrefix, StringComparison.Ordinal) || RootfsRecord.Read(RecordPath(key)) is not { } record)
            {
                OverlayMount.Unmount(Path.Combine(path, "merged"));
                OverlayMount.Unmount(MappedPath(path));
                FileTree.Delete(path, cancellationToken);
            }
            else
            {
                _held[key] = _holds.Hold([.. record.ChainIds.Select(Holds.Layer)]);
            }
        }
    }

    public Task<Rootfs> PrepareRootfsAsync(string containerId, string imageId, string? userNamespace, CancellationToken cancellationToken) =>
        PrepareAsync(containerId, imageId, readOnly: false, userNamespace, cancellationToken);

    public Task<Rootfs> MountImageAsync(string key, string imageId, string? userNamespace, CancellationToken cancellationToken) =>
        PrepareAsync(key, imageId, readOnly: true, userNamespace, cancellationToken);

    public async Task RemoveRootfsAsync(string containerId, CancellationToken cancellationToken)
    {
        CheckKey(containerId);
        using var entered = await _locks.EnterAsync(containerId, cancellationToken);
        var path = Path.Combine(_directory, containerId);
        if (Directory.Exists(path))
        {
            await Task.Run(() => Remove(path, cancellationToken), cancellationToken);
        }

        if (_held.TryRemove(containerId, out var hold))
        {
            hold.Dispose();
        }
    }

    public IReadOnlyList<string> List() => [.. _held.Keys];

    public async Task<RootfsUsage> GetUsageAsync(string containerId, CancellationToken cancellationToken)
    {
        CheckKey(containerId);
        var upper = Path.Combine(_directory, containerId, "upper");
        if (!Directory.Exists(upper))
        {
            return default;
        }

        var (bytes, inodes) = await Task.Run(() => FileTree.Measure(upper, cancellationToken), cancellationToken);
        return new RootfsUsage(bytes, inodes);
    }

    /// <summary>Bytes and inodes of everything that containers wrote.</summary>
    public async Task<RootfsUsage> MeasureAsync(CancellationToken cancellationToken)
    {
        var sum = default(RootfsUsage);
        foreach (var key in List())
        {
            var usage = await GetUsageAsync(key, cancellationToken);
            sum = new RootfsUsage(sum.Bytes + usage.Bytes, sum.Inodes + usage.Inodes);
        }

        return sum;
    }

    public void Dispose()
    {
        foreach (var hold in _held.Values)
        {
            hold.Dispose();
        }
    }

    // Keys become file names.
    private static void CheckKey(string key)
    {
        if (key.Length is 0 or > 128 || key[0] == '.' || !key.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"\"{key}\" cannot be the key of a root file system"));
        }
    }

    private async Task<Rootfs> PrepareAsync(string key, string imageId, bool readOnly, string? userNamespace, CancellationToken cancellationToken)
    {
        CheckKey(key);
        using var entered = await _locks.EnterAsync(key, cancellationToken);
        var record = RootfsRecord.Read(RecordPath(key)) ?? await CreateAsync(key, imageId, readOnly, cancellationToken);
        var rootfs = Describe(key, record);
        if (!OverlayMount.IsMountPoint(rootfs.Path))
        {
            try
            {
                if (userNamespace is null)
                {
                    Mount(rootfs);
                }
                else
                {
                    MountMapped(key, rootfs, userNamespace);
                }
            }
            catch (Exception e) when (e is FileSystemException or LinuxException)
            {
                throw new RpcException(new Status(StatusCode.Internal, "failed to mount rootfs: " + e.Message, e));
            }
        }

        return rootfs;
    }

    private async Task<RootfsRecord> CreateAsync(string key, string imageId, bool readOnly, CancellationToken cancellationToken)
    {
        var image = _images.Find(imageId)
            ?? throw new RpcException(new Status(StatusCode.NotFound, $"image \"{imageId}\": not found"));
        var hold = _holds.Hold([.. image.ChainIds.Select(Holds.Layer)]);
        try
        {
            if (image.ChainIds.FirstOrDefault(chainId => !_layers.Exists(chainId)) is { } missing)
            {
                throw new RpcException(new Status(StatusCode.NotFound, $"image \"{imageId}\": layer {missing} not found"));
            }

            var path = Path.Combine(_directory, key);
            Directory.CreateDirectory(path);
            Directory.CreateDirectory(Path.Combine(path, "merged"));
            var record = new RootfsRecord(image.Id, image.ChainIds, readOnly);
            if (!readOnly)
            {
                CreateUpper(path, record);
            }

            await record.WriteAsync(RecordPath(key), cancellationToken);
            _held[key] = hold;
            return record;
        }
        catch
        {
            hold.Dispose();
            throw;
        }
    }

    // The upper directory is the merged root: it takes owner and mode of the image's.
    private void CreateUpper(string path, RootfsRecord record)
    {
        Directory.CreateDirectory(Path.Combine(path, "work"));
        Directory.CreateDirectory(Path.Combine(path, "upper"));
        CopyOwner(LowerDirs(record)[0], Path.Combine(path, "upper"));
    }

    private static void CopyOwner(string from, string to)
    {
        using var top = DirectoryHandle.Open(from);
        using var upper = DirectoryHandle.Open(to);
        var status = top.Status();
        upper.SetOwner(".\0"u8, status.Uid, status.Gid);
        upper.SetPermissions(".\0"u8, status.Permissions);
    }

    private List<string> LowerDirs(RootfsRecord record) =>
        record.ChainIds.Count == 0 ? [_layers.EmptyLayer] : [.. record.ChainIds.Reverse().Select(_layers.DiffPath)];

    private Rootfs Describe(string key, RootfsRecord record)
    {
        var path = Path.Combine(_directory, key);
        return record.ReadOnly
            ? new Rootfs(Path.Combine(path, "merged"), LowerDirs(record), null, null)
            : new Rootfs(Path.Combine(path, "merged"), LowerDirs(record), Path.Combine(path, "upper"), Path.Combine(path, "work"));
    }

    private void Mount(Rootfs rootfs)
    {
        // Without an upper directory overlayfs wants two layers.
        var lower = rootfs.UpperDir is null && rootfs.LowerDirs.Count == 1 ? [.. rootfs.LowerDirs, _layers.EmptyLayer] : rootfs.LowerDirs;
        if (rootfs.WorkDir is not null)
        {
            // Left by a volatile mount that a crash of the machine ended; the kernel refuses to go on from it.
            var stale = Path.Combine(rootfs.WorkDir, "work", "incompat");
            if (Directory.Exists(stale))
            {
                Directory.Delete(stale, recursive: true);
            }
        }

        OverlayMount.Mount(rootfs.Path, lower, rootfs.UpperDir, rootfs.WorkDir, rootfs.UpperDir is null ? "index=off" : _mountOptions);
    }

    // Overlayfs cannot map owners, but shows what mapped layers have: all layers are mounted at once, mapped, for as long as the mount call takes.
    private void MountMapped(string key, Rootfs rootfs, string userNamespace)
    {
        var mapped = MappedPath(Path.Combine(_directory, key));
        Directory.CreateDirectory(mapped);
        OverlayMount.Unmount(mapped);
        IdMappedMount.Bind(_layers.Root, mapped, userNamespace, recursive: false);
        try
        {
            string In(string layer) => Path.Combine(mapped, Path.GetRelativePath(_layers.Root, layer));
            var lower = rootfs.LowerDirs.Select(In).ToList();
            if (rootfs.UpperDir is { } upper)
            {
                CopyOwner(lower[0], upper);
            }
            else if (lower.Count == 1)
            {
                lower.Add(In(_layers.EmptyLayer));
            }

            OverlayMount.Mount(rootfs.Path, lower, rootfs.UpperDir, rootfs.WorkDir, rootfs.UpperDir is null ? "index=off" : _mountOptions);
        }
        finally
        {
            OverlayMount.Unmount(mapped);
        }
    }

    private static string MappedPath(string path) => Path.Combine(path, "mapped");

    private void Remove(string path, CancellationToken cancellationToken)
    {
        try
        {
            OverlayMount.Unmount(Path.Combine(path, "merged"));
            OverlayMount.Unmount(MappedPath(path));
            var trash = Path.Combine(_directory, TrashPrefix + Guid.NewGuid().ToString("n"));
            Directory.Move(path, trash);
            FileTree.Delete(trash, cancellationToken);
        }
        catch (FileSystemException e)
        {
            throw new RpcException(new Status(StatusCode.Internal, "failed to remove rootfs: " + e.Message, e));
        }
    }

    private string RecordPath(string key) => Path.Combine(_directory, key, "rootfs.json");
}
