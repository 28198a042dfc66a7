namespace Podhost.Linux.Mounts;

/// <summary>The mount table of the calling thread's mount namespace.</summary>
public interface IMounter
{
    /// <summary>Mounts a file system; throws <see cref="Native.LinuxException"/>.</summary>
    /// <param name="source">The device or name.</param>
    /// <param name="target">Where; must exist.</param>
    /// <param name="type">The file system type.</param>
    /// <param name="flags">The flags.</param>
    /// <param name="data">The file system's own options, or null.</param>
    void Mount(string source, string target, string type, MountFlags flags, string? data);

    /// <summary>Shows a tree or file at a second place.</summary>
    /// <param name="source">What to show.</param>
    /// <param name="target">Where; must exist and be of the same kind.</param>
    /// <param name="recursive">With the mounts below it.</param>
    void Bind(string source, string target, bool recursive);

    /// <summary>Sets how mount events travel.</summary>
    /// <param name="target">A mount point.</param>
    /// <param name="propagation">Private, slave or shared, with recursive where wanted.</param>
    void SetPropagation(string target, MountFlags propagation);

    /// <summary>Makes a mount and all mounts below it read-only (mount_setattr, Linux 5.12).</summary>
    /// <param name="target">A mount point.</param>
    void SetReadOnlyRecursive(string target);

    /// <summary>Takes a mount away, even a busy one (it vanishes from view at once). Idempotent: no mount there is no error.</summary>
    /// <param name="target">A mount point.</param>
    void Unmount(string target);
}
