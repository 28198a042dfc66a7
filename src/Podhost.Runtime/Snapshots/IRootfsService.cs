namespace Podhost.Runtime.Snapshots;

/// <summary>
/// Root file systems of containers and read-only mounts of images. Every method is idempotent and may be called again after a
/// crash at any point of an earlier call. Failures are <see cref="Grpc.Core.RpcException"/>: NotFound for an absent image,
/// Internal with the failed system call for the rest.
/// </summary>
public interface IRootfsService
{
    /// <summary>
    /// Mounts a writable root file system for a container: the image's layers below, a directory of the container above. Called
    /// again for a mounted container it returns the same; a restart of this process changes nothing.
    /// </summary>
    /// <param name="containerId">The key.</param>
    /// <param name="imageId">The image.</param>
    /// <param name="userNamespace">The file of a user namespace whose users own the files; null for the machine's users.</param>
    /// <param name="cancellationToken">Cancels.</param>
    Task<Rootfs> PrepareRootfsAsync(string containerId, string imageId, string? userNamespace, CancellationToken cancellationToken);

    /// <summary>
    /// Mounts an image read-only (image volumes). The key is the caller's, unique on the node among containers too; the mount is
    /// undone by <see cref="RemoveRootfsAsync"/> with that key.
    /// </summary>
    /// <param name="key">The key.</param>
    /// <param name="imageId">The image.</param>
    /// <param name="userNamespace">The file of a user namespace whose users own the files; null for the machine's users.</param>
    /// <param name="cancellationToken">Cancels.</param>
    Task<Rootfs> MountImageAsync(string key, string imageId, string? userNamespace, CancellationToken cancellationToken);

    /// <summary>Unmounts and deletes what the other methods made. An absent one is no error.</summary>
    Task RemoveRootfsAsync(string containerId, CancellationToken cancellationToken);

    /// <summary>The keys that have a root file system, for cleaning after a crash.</summary>
    IReadOnlyList<string> List();

    /// <summary>What a container wrote: bytes and inodes of its upper directory; zeros when it has none.</summary>
    Task<RootfsUsage> GetUsageAsync(string containerId, CancellationToken cancellationToken);
}

/// <summary>A mounted root file system.</summary>
/// <param name="Path">The mount point: OCI's root.path.</param>
/// <param name="LowerDirs">The layers' directories, the top one first.</param>
/// <param name="UpperDir">What the container writes; null for a read-only mount.</param>
/// <param name="WorkDir">overlayfs's work directory; null for a read-only mount.</param>
public sealed record Rootfs(string Path, IReadOnlyList<string> LowerDirs, string? UpperDir, string? WorkDir);

/// <summary>Disk usage of a writable layer.</summary>
/// <param name="Bytes">Allocated bytes.</param>
/// <param name="Inodes">Files and directories.</param>
public readonly record struct RootfsUsage(long Bytes, long Inodes);
