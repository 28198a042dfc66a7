using System.Runtime.InteropServices;
using System.Text;

namespace Podhost.Linux.Files;

/// <summary>Mounts of overlayfs (https://docs.kernel.org/filesystems/overlayfs.html).</summary>
public static unsafe class OverlayMount
{
    private const nuint ReadOnly = 1;
    private const int Detach = 2;
    private const int NoFollow = 8;

    // mount(2) copies one page of options; the last byte is the NUL.
    private const int MaxOptions = 4095;

    /// <summary>Mounts layers at a directory.</summary>
    /// <param name="target">The mount point.</param>
    /// <param name="lowerDirectories">The layers, the top one first; at least one, at least two without an upper directory.</param>
    /// <param name="upperDirectory">The writable directory, or null for a read-only mount.</param>
    /// <param name="workDirectory">An empty directory on the upper directory's file system, or null with it.</param>
    /// <param name="extraOptions">More options, such as "index=off".</param>
    /// <exception cref="FileSystemException">The mount failed; errno EINVAL often means that the upper file system is an overlay.</exception>
    public static void Mount(
        string target,
        IReadOnlyList<string> lowerDirectories,
        string? upperDirectory,
        string? workDirectory,
        string extraOptions)
    {
        var options = Options(lowerDirectories, upperDirectory, workDirectory, extraOptions);
        if (Fits(options, lowerDirectories, upperDirectory, workDirectory))
        {
            Mount(target, options, upperDirectory is null);
            return;
        }

        MountByDescriptors(target, lowerDirectories, upperDirectory, workDirectory, extraOptions);
    }

    /// <summary>Unmounts; lazily when it is busy. A path that is no mount point, or absent, is no error.</summary>
    /// <exception cref="FileSystemException">The unmount failed.</exception>
    public static void Unmount(string target)
    {
        fixed (byte* p = PathBytes.From(target))
        {
            if (FileSyscalls.Umount2(p, NoFollow) == 0)
            {
                return;
            }

            var errno = Marshal.GetLastPInvokeError();
            if (errno is Errno.EINVAL or Errno.ENOENT)
            {
                return;
            }

            if (errno != Errno.EBUSY || FileSyscalls.Umount2(p, NoFollow | Detach) != 0)
            {
                throw new FileSystemException("unmount " + target, Marshal.GetLastPInvokeError());
            }
        }
    }

    /// <summary>The path is the root of a mount; false when it is absent.</summary>
    public static bool IsMountPoint(string path)
    {
        FileSyscalls.Statx s;
        fixed (byte* p = PathBytes.From(path))
        {
            return FileSyscalls.StatxAt(FileSyscalls.AT_FDCWD, p, FileSyscalls.AT_SYMLINK_NOFOLLOW, FileSyscalls.STATX_BASIC_STATS, &s) == 0
                && (s.Attributes & FileSyscalls.STATX_ATTR_MOUNT_ROOT) != 0;
        }
    }

    // Paths with separators of the option syntax, and more layers than a page of options holds, go by descriptors: 18 bytes a layer.
    private static bool Fits(string options, IReadOnlyList<string> lower, string? upper, string? work) =>
        Encoding.UTF8.GetByteCount(options) <= MaxOptions
        && lower.Append(upper ?? "").Append(work ?? "").All(path => path.AsSpan().IndexOfAny(",:\\") < 0);

    private static void MountByDescriptors(string target, IReadOnlyList<string> lower, string? upper, string? work, string extra)
    {
        var handles = new List<DirectoryHandle>();
        try
        {
            string Open(string path)
            {
                handles.Add(DirectoryHandle.Open(path));
                return handles[^1].ProcPath;
            }

            var options = Options([.. lower.Select(Open)], upper is null ? null : Open(upper), work is null ? null : Open(work), extra);
            if (options.Length > MaxOptions)
            {
                throw new FileSystemException($"mount overlay at {target} with {lower.Count} layers", Errno.EINVAL);
            }

            Mount(target, options, upper is null);
        }
        finally
        {
            handles.ForEach(handle => handle.Dispose());
        }
    }

    private static string Options(IReadOnlyList<string> lower, string? upper, string? work, string extra)
    {
        var options = new StringBuilder("lowerdir=").AppendJoin(':', lower);
        if (upper is not null)
        {
            options.Append(",upperdir=").Append(upper).Append(",workdir=").Append(work);
        }

        return extra.Length > 0 ? options.Append(',').Append(extra).ToString() : options.ToString();
    }

    private static void Mount(string target, string options, bool readOnly)
    {
        fixed (byte* type = "overlay\0"u8)
        fixed (byte* t = PathBytes.From(target))
        fixed (byte* data = PathBytes.From(options))
        {
            if (FileSyscalls.Mount(type, t, type, readOnly ? ReadOnly : 0, data) != 0)
            {
                throw new FileSystemException("mount overlay at " + target, Marshal.GetLastPInvokeError());
            }
        }
    }
}
