using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Podhost.Linux.Files;

/// <summary>
/// An open directory. Methods that take a name act on that entry of the directory itself and never follow a symbolic link there;
/// <see cref="OpenInRoot"/> resolves a whole path as if this directory were the root (openat2 with RESOLVE_IN_ROOT, Linux 5.6).
/// Names are bytes with an ending NUL (<see cref="PathBytes"/>). Not safe for concurrent use.
/// </summary>
public sealed unsafe class DirectoryHandle : IDisposable
{
    private readonly SafeFileHandle _handle;

    private DirectoryHandle(SafeFileHandle handle) => _handle = handle;

    /// <summary>/proc/self/fd/N: names this directory while the handle is open.</summary>
    public string ProcPath => "/proc/self/fd/" + _handle.DangerousGetHandle();

    internal SafeFileHandle Handle => _handle;

    /// <summary>Opens a directory by its path.</summary>
    /// <exception cref="FileSystemException">It cannot be opened.</exception>
    public static DirectoryHandle Open(string path)
    {
        fixed (byte* p = PathBytes.From(path))
        {
            var fd = FileSyscalls.OpenAt(FileSyscalls.AT_FDCWD, p, FileSyscalls.O_DIRECTORY | FileSyscalls.O_CLOEXEC, 0);
            return fd < 0 ? throw Failed("open", path) : new DirectoryHandle(new SafeFileHandle(fd, ownsHandle: true));
        }
    }

    /// <summary>
    /// Opens a directory below this one; absolute paths, absolute links and ".." stay inside. Null with the error number in
    /// errno where it cannot be opened.
    /// </summary>
    public DirectoryHandle? OpenInRoot(ReadOnlySpan<byte> path, out int errno) =>
        OpenBelow(path, FileSyscalls.RESOLVE_IN_ROOT | FileSyscalls.RESOLVE_NO_MAGICLINKS, out errno);

    /// <summary>As <see cref="OpenInRoot"/> for a path without any symbolic link.</summary>
    public DirectoryHandle? OpenWithoutLinks(ReadOnlySpan<byte> path, out int errno) =>
        OpenBelow(path, FileSyscalls.RESOLVE_BENEATH | FileSyscalls.RESOLVE_NO_SYMLINKS, out errno);

    /// <summary>The entry's status; null when it is absent.</summary>
    public FileStatus? Status(ReadOnlySpan<byte> name)
    {
        FileSyscalls.Statx s;
        fixed (byte* p = name)
        {
            if (FileSyscalls.StatxAt(_handle, p, FileSyscalls.AT_SYMLINK_NOFOLLOW, FileSyscalls.STATX_BASIC_STATS, &s) == 0)
            {
                return FileStatus.From(s);
            }
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno == Errno.ENOENT ? null : throw new FileSystemException("stat " + PathBytes.Show(name), errno);
    }

    /// <summary>The directory's own status.</summary>
    public FileStatus Status()
    {
        FileSyscalls.Statx s;
        byte empty = 0;
        Check(FileSyscalls.StatxAt(_handle, &empty, FileSyscalls.AT_EMPTY_PATH, FileSyscalls.STATX_BASIC_STATS, &s), "stat", default);
        return FileStatus.From(s);
    }

    /// <summary>Creates a directory that only root can use until its mode is set.</summary>
    public void CreateDirectory(ReadOnlySpan<byte> name)
    {
        fixed (byte* p = name)
        {
            Check(FileSyscalls.MkdirAt(_handle, p, 0x1C0), "mkdir", name);
        }
    }

    /// <summary>Creates a new regular file for writing.</summary>
    public SafeFileHandle CreateFile(ReadOnlySpan<byte> name)
    {
        fixed (byte* p = name)
        {
            const int flags = FileSyscalls.O_WRONLY | FileSyscalls.O_CREAT | FileSyscalls.O_EXCL | FileSyscalls.O_CLOEXEC;
            var fd = FileSyscalls.OpenAt(_handle, p, flags | FileSyscalls.O_NOFOLLOW, 0x180);
            Check(fd, "create", name);
            return new SafeFileHandle(fd, ownsHandle: true);
        }
    }

    /// <summary>Creates a symbolic link; the target is stored as it is.</summary>
    public void CreateSymbolicLink(ReadOnlySpan<byte> name, ReadOnlySpan<byte> target)
    {
        fixed (byte* p = name)
        fixed (byte* t = target)
        {
            Check(FileSyscalls.SymlinkAt(t, _handle, p), "symlink", name);
        }
    }

    /// <summary>Creates a hard link to an entry of another open directory; a symbolic link there is linked, not followed.</summary>
    public void CreateHardLink(ReadOnlySpan<byte> name, DirectoryHandle targetDirectory, ReadOnlySpan<byte> targetName)
    {
        fixed (byte* p = name)
        fixed (byte* t = targetName)
        {
            Check(FileSyscalls.LinkAt(targetDirectory._handle, t, _handle, p, 0), "link", name);
        }
    }

    /// <summary>Creates a device file or fifo; mode holds the type and no permissions need be set.</summary>
    public void CreateNode(ReadOnlySpan<byte> name, int mode, uint major, uint minor)
    {
        var device = ((ulong)(major & 0xfffff000) << 32) | ((ulong)(major & 0xfff) << 8) | ((ulong)(minor & 0xffffff00) << 12) | (minor & 0xff);
        fixed (byte* p = name)
        {
            Check(FileSyscalls.MknodAt(_handle, p, (uint)mode, device), "mknod", name);
        }
    }

    /// <summary>Removes a file, link or device. Returns false when it is a directory.</summary>
    public bool Unlink(ReadOnlySpan<byte> name)
    {
        fixed (byte* p = name)
        {
            if (FileSyscalls.UnlinkAt(_handle, p, 0) == 0)
            {
                return true;
            }
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno switch
        {
            Errno.ENOENT => true,
            Errno.EISDIR => false,
            _ => throw new FileSystemException("unlink " + PathBytes.Show(name), errno),
        };
    }

    /// <summary>Removes an empty directory. Returns false when it is not empty.</summary>
    public bool RemoveDirectory(ReadOnlySpan<byte> name)
    {
        fixed (byte* p = name)
        {
            if (FileSyscalls.UnlinkAt(_handle, p, FileSyscalls.AT_REMOVEDIR) == 0)
            {
                return true;
            }
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno switch
        {
            Errno.ENOENT => true,
            Errno.ENOTEMPTY or Errno.EEXIST => false,
            _ => throw new FileSystemException("rmdir " + PathBytes.Show(name), errno),
        };
    }

    /// <summary>Moves an entry to another open directory.</summary>
    public void Rename(ReadOnlySpan<byte> name, DirectoryHandle newDirectory, ReadOnlySpan<byte> newName)
    {
        fixed (byte* p = name)
        fixed (byte* n = newName)
        {
            Check(FileSyscalls.RenameAt(_handle, p, newDirectory._handle, n), "rename", name);
        }
    }

    /// <summary>Sets the owner of an entry.</summary>
    public void SetOwner(ReadOnlySpan<byte> name, uint uid, uint gid)
    {
        fixed (byte* p = name)
        {
            Check(FileSyscalls.FchownAt(_handle, p, uid, gid, FileSyscalls.AT_SYMLINK_NOFOLLOW), "chown", name);
        }
    }

    /// <summary>Sets the permissions of an entry that the caller knows to be no symbolic link.</summary>
    public void SetPermissions(ReadOnlySpan<byte> name, int permissions)
    {
        fixed (byte* p = name)
        {
            Check(FileSyscalls.FchmodAt(_handle, p, (uint)permissions, 0), "chmod", name);
        }
    }

    /// <summary>Sets access and modification time of an entry.</summary>
    public void SetTimes(ReadOnlySpan<byte> name, long seconds, int nanoseconds)
    {
        var times = stackalloc FileSyscalls.Timespec[2];
        times[0] = times[1] = new FileSyscalls.Timespec { Seconds = (nint)seconds, Nanoseconds = nanoseconds };
        fixed (byte* p = name)
        {
            Check(FileSyscalls.UtimensAt(_handle, p, times, FileSyscalls.AT_SYMLINK_NOFOLLOW), "utimens", name);
        }
    }

    /// <summary>Sets an extended attribute of an entry; false where the file system or the file's type does not take it.</summary>
    public bool SetExtendedAttribute(ReadOnlySpan<byte> name, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value)
    {
        byte none = 0;
        fixed (byte* p = EntryPath(name))
        fixed (byte* a = attribute)
        fixed (byte* v = value)
        {
            if (FileSyscalls.Lsetxattr(p, a, v is null ? &none : v, (nuint)value.Length, 0) == 0)
            {
                return true;
            }
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno == Errno.ENOTSUP
            ? false
            : throw new FileSystemException($"setxattr {PathBytes.Show(attribute)} of {PathBytes.Show(name)}", errno);
    }

    /// <summary>Sets an extended attribute of the directory itself.</summary>
    public void SetExtendedAttribute(ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value)
    {
        fixed (byte* p = PathBytes.From(ProcPath))
        fixed (byte* a = attribute)
        fixed (byte* v = value)
        {
            Check(FileSyscalls.Setxattr(p, a, v, (nuint)value.Length, 0), "setxattr " + PathBytes.Show(attribute), default);
        }
    }

    /// <summary>Reads an extended attribute of an entry; null when it has none.</summary>
    public byte[]? ExtendedAttribute(ReadOnlySpan<byte> name, ReadOnlySpan<byte> attribute)
    {
        // XATTR_SIZE_MAX
        var value = new byte[64 * 1024];
        nint length;
        fixed (byte* p = EntryPath(name))
        fixed (byte* a = attribute)
        fixed (byte* v = value)
        {
            length = FileSyscalls.Lgetxattr(p, a, v, (nuint)value.Length);
        }

        if (length >= 0)
        {
            return value[..(int)length];
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno is Errno.ENODATA or Errno.ENOTSUP ? null : throw new FileSystemException("getxattr " + PathBytes.Show(attribute), errno);
    }

    /// <summary>Writes everything of this directory's file system to the disk.</summary>
    public void SyncFileSystem() => Check(FileSyscalls.Syncfs(_handle), "syncfs", default);

    /// <summary>Writes the directory's entries to the disk.</summary>
    public void Sync() => Check(FileSyscalls.Fsync(_handle), "fsync", default);

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    /// <summary>Opens an entry that is a directory for reading its entries.</summary>
    internal DirectoryHandle? OpenEntry(ReadOnlySpan<byte> name, out int errno)
    {
        fixed (byte* p = name)
        {
            var fd = FileSyscalls.OpenAt(_handle, p, FileSyscalls.O_DIRECTORY | FileSyscalls.O_NOFOLLOW | FileSyscalls.O_CLOEXEC, 0);
            errno = fd < 0 ? Marshal.GetLastPInvokeError() : 0;
            return fd < 0 ? null : new DirectoryHandle(new SafeFileHandle(fd, ownsHandle: true));
        }
    }

    // Attributes have no "at" calls before Linux 6.13; their "l" variants do not follow the last component of this path.
    private byte[] EntryPath(ReadOnlySpan<byte> name) =>
        PathBytes.From([.. Encoding.ASCII.GetBytes(ProcPath + "/"), .. name[..name.IndexOf((byte)0)]]);

    private DirectoryHandle? OpenBelow(ReadOnlySpan<byte> path, ulong resolve, out int errno)
    {
        var how = new FileSyscalls.OpenHow
        {
            Flags = (ulong)(uint)(FileSyscalls.O_PATH | FileSyscalls.O_DIRECTORY | FileSyscalls.O_CLOEXEC),
            Resolve = resolve,
        };
        fixed (byte* p = path)
        {
            int fd;
            do
            {
                // EAGAIN: a rename raced with a ".." step; EINTR: a signal.
                fd = FileSyscalls.Openat2(_handle, p, how);
                errno = fd < 0 ? Marshal.GetLastPInvokeError() : 0;
            }
            while (errno is Errno.EAGAIN or Errno.EINTR);

            return fd < 0 ? null : new DirectoryHandle(new SafeFileHandle(fd, ownsHandle: true));
        }
    }

    private static FileSystemException Failed(string operation, string path) => new($"{operation} {path}", Marshal.GetLastPInvokeError());

    private static void Check(int result, string operation, ReadOnlySpan<byte> name)
    {
        if (result < 0)
        {
            throw Failed(operation, PathBytes.Show(name));
        }
    }
}
