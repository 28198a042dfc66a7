using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Podhost.Linux.Native;

namespace Podhost.Linux.Paths;

/// <summary>
/// A file or directory below a root that someone hostile may write at the same time. It was resolved in one step by openat2 with
/// RESOLVE_BENEATH: no link, no ".." and no rename in between leads out of the root. What was opened stays what it is, whatever
/// happens to its name.
/// </summary>
public sealed class PathBeneath : IDisposable
{
    private const int MaxRaces = 64;
    private readonly SafeFileHandle _handle;

    private PathBeneath(SafeFileHandle handle, string name)
    {
        _handle = handle;
        Status = PathStatus.Read(handle, name);
    }

    /// <summary>What was opened.</summary>
    public PathStatus Status { get; }

    /// <summary>A path that names exactly this, for mount(2), while it is open.</summary>
    public string ProcPath => $"/proc/self/fd/{_handle.DangerousGetHandle()}";

    /// <summary>Opens a path below a root; null where nothing is there.</summary>
    /// <param name="root">A directory whose own path is trusted.</param>
    /// <param name="relative">A relative path.</param>
    /// <exception cref="LinuxException">It leads out of the root (EXDEV), loops (ELOOP), or cannot be opened.</exception>
    public static PathBeneath? TryOpen(string root, string relative)
    {
        using var top = OpenRoot(root);
        var handle = Open(top, relative, PathCalls.PathOnly, relative);
        return handle is null ? null : new PathBeneath(handle, relative);
    }

    /// <summary>Opens a regular file below a root for reading; null where nothing is there.</summary>
    /// <exception cref="LinuxException">It leads out of the root or cannot be opened.</exception>
    /// <exception cref="IOException">It is no regular file.</exception>
    public static FileStream? TryOpenFile(string root, string relative)
    {
        using var top = OpenRoot(root);

        // Non-blocking: opening a FIFO must not wait for its writer.
        var handle = Open(top, relative, PathCalls.NonBlock, relative);
        if (handle is null)
        {
            return null;
        }

        if (PathStatus.Read(handle, relative).Kind == PathKind.File)
        {
            return new FileStream(handle, FileAccess.Read, 4096);
        }

        handle.Dispose();
        throw new IOException($"{relative} is not a regular file");
    }

    /// <summary>Creates the directories of a relative path that are missing below a root. Existing ones may be links that stay inside.</summary>
    /// <param name="root">A directory whose own path is trusted.</param>
    /// <param name="relative">A relative path without "..".</param>
    /// <param name="mode">Permissions of new directories.</param>
    /// <exception cref="LinuxException">The path leads out of the root or something on it is no directory.</exception>
    public static void CreateDirectories(string root, string relative, int mode)
    {
        var current = OpenRoot(root);
        try
        {
            var at = "";
            foreach (var part in relative.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(p => p != "."))
            {
                at = at.Length == 0 ? part : $"{at}/{part}";
                var next = OpenOrCreate(root, current, at, part, mode);
                current.Dispose();
                current = next;
            }
        }
        finally
        {
            current.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    /// <summary>The directory at a path from the root; made in its parent, which is open, where it is missing.</summary>
    private static SafeFileHandle OpenOrCreate(string root, SafeFileHandle parent, string path, string name, int mode)
    {
        using var top = OpenRoot(root);
        if (Open(top, path, PathCalls.Directory, path) is { } existing)
        {
            return existing;
        }

        LinuxException.ThrowIf(PathCalls.MkdirAt(parent, name, 0x1c0) != 0, $"mkdir {path}");
        var fd = PathCalls.OpenAt(parent, name, PathCalls.Directory | PathCalls.NoFollow | PathCalls.CloseOnExec, 0);
        LinuxException.ThrowIf(fd < 0, $"open {path}");
        var created = new SafeFileHandle(fd, true);
        LinuxException.ThrowIf(PathCalls.Fchmod(created, (uint)mode) != 0, $"chmod {path}");
        return created;
    }

    private static SafeFileHandle OpenRoot(string root)
    {
        var fd = PathCalls.Open(root, PathCalls.Directory | PathCalls.CloseOnExec, 0);
        LinuxException.ThrowIf(fd < 0, $"open {root}");
        return new SafeFileHandle(fd, true);
    }

    private static SafeFileHandle? Open(SafeFileHandle root, string relative, int flags, string name)
    {
        var path = relative.Length == 0 ? "." : relative;
        for (var race = 0; ; race++)
        {
            var fd = PathCalls.OpenAt2(root, path, flags, PathCalls.ResolveBeneath | PathCalls.ResolveNoMagicLinks);
            if (fd >= 0)
            {
                return new SafeFileHandle(fd, true);
            }

            switch (Marshal.GetLastPInvokeError())
            {
                case Errno.ENOENT:
                    return null;
                case Errno.EAGAIN or Errno.EINTR when race < MaxRaces:
                    // A rename somewhere in the system raced with a ".." of a link.
                    continue;
                default:
                    throw LinuxException.Last($"open {name} below its root");
            }
        }
    }
}
