using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Podhost.Linux.Native;

namespace Podhost.Linux.Paths;

/// <summary>What statx(2) says about a path.</summary>
/// <param name="Kind">Type of the file.</param>
/// <param name="Mode">Permissions with set-user-ID, set-group-ID and sticky bit (octal 7777).</param>
/// <param name="Uid">Owner.</param>
/// <param name="Gid">Group.</param>
/// <param name="Device">Device number of the file system.</param>
/// <param name="Inode">Number in it.</param>
/// <param name="IsMountRoot">A mount point (Linux 5.8).</param>
public sealed unsafe record PathStatus(PathKind Kind, int Mode, uint Uid, uint Gid, ulong Device, ulong Inode, bool IsMountRoot)
{
    private const uint BasicStats = 0x7ff;
    private const int AttributeMountRoot = 0x2000;
    private const int TypeMask = 0xf000;
    private const int PermissionMask = 0xfff;

    /// <summary>Reads a path; null where nothing is there.</summary>
    /// <param name="path">The path.</param>
    /// <param name="follow">Follow a symbolic link at its end.</param>
    /// <exception cref="LinuxException">It cannot be read.</exception>
    public static PathStatus? Read(string path, bool follow = true)
    {
        var buffer = stackalloc byte[256];
        if (PathCalls.StatxAt(PathCalls.AtFdCwd, path, follow ? 0 : PathCalls.AtNoFollow, BasicStats, buffer) == 0)
        {
            return From(new ReadOnlySpan<byte>(buffer, 256));
        }

        return Marshal.GetLastPInvokeError() == Errno.ENOENT ? null : throw LinuxException.Last($"stat {path}");
    }

    /// <summary>Reads what is open.</summary>
    /// <exception cref="LinuxException">It cannot be read.</exception>
    internal static PathStatus Read(SafeFileHandle handle, string name)
    {
        var buffer = stackalloc byte[256];
        LinuxException.ThrowIf(
            PathCalls.StatxAt((int)handle.DangerousGetHandle(), "", PathCalls.AtEmptyPath, BasicStats, buffer) != 0, $"stat {name}");
        return From(new ReadOnlySpan<byte>(buffer, 256));
    }

    // struct statx of linux/stat.h: attributes at 8, uid at 20, gid at 24, mode at 28, inode at 32, device major and minor at 136.
    private static PathStatus From(ReadOnlySpan<byte> statx)
    {
        var mode = BinaryPrimitives.ReadUInt16LittleEndian(statx[28..]);
        var attributes = BinaryPrimitives.ReadUInt64LittleEndian(statx[8..]);
        var device = ((ulong)BinaryPrimitives.ReadUInt32LittleEndian(statx[136..]) << 32) | BinaryPrimitives.ReadUInt32LittleEndian(statx[140..]);
        return new PathStatus(
            (PathKind)(mode & TypeMask),
            mode & PermissionMask,
            BinaryPrimitives.ReadUInt32LittleEndian(statx[20..]),
            BinaryPrimitives.ReadUInt32LittleEndian(statx[24..]),
            device,
            BinaryPrimitives.ReadUInt64LittleEndian(statx[32..]),
            (attributes & AttributeMountRoot) != 0);
    }
}

/// <summary>Type of a file (the bits of S_IFMT).</summary>
public enum PathKind
{
    /// <summary>FIFO.</summary>
    Fifo = 0x1000,

    /// <summary>Character device.</summary>
    CharacterDevice = 0x2000,

    /// <summary>Directory.</summary>
    Directory = 0x4000,

    /// <summary>Block device.</summary>
    BlockDevice = 0x6000,

    /// <summary>Regular file.</summary>
    File = 0x8000,

    /// <summary>Symbolic link.</summary>
    Link = 0xa000,

    /// <summary>Socket.</summary>
    Socket = 0xc000,
}
