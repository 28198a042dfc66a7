namespace Podhost.Linux.Files;

/// <summary>What statx(2) says about a file.</summary>
public readonly record struct FileStatus
{
    private const int TypeMask = 0xF000;

    /// <summary>Type and permission bits.</summary>
    public required int Mode { get; init; }

    /// <summary>Owner.</summary>
    public required uint Uid { get; init; }

    /// <summary>Group.</summary>
    public required uint Gid { get; init; }

    /// <summary>Length in bytes.</summary>
    public required long Size { get; init; }

    /// <summary>Allocated bytes.</summary>
    public required long AllocatedBytes { get; init; }

    /// <summary>Hard links.</summary>
    public required uint LinkCount { get; init; }

    /// <summary>Inode number.</summary>
    public required ulong Inode { get; init; }

    /// <summary>Modification time, seconds since the epoch.</summary>
    public required long MtimeSeconds { get; init; }

    /// <summary>Nanoseconds of the modification time.</summary>
    public required int MtimeNanoseconds { get; init; }

    /// <summary>Major number of a device file.</summary>
    public required uint DeviceMajor { get; init; }

    /// <summary>Minor number of a device file.</summary>
    public required uint DeviceMinor { get; init; }

    /// <summary>The file is the root of a mount.</summary>
    public required bool IsMountRoot { get; init; }

    /// <summary>Permission, setuid, setgid and sticky bits.</summary>
    public int Permissions => Mode & 0xFFF;

    /// <summary>A directory.</summary>
    public bool IsDirectory => (Mode & TypeMask) == 0x4000;

    /// <summary>A regular file.</summary>
    public bool IsRegular => (Mode & TypeMask) == 0x8000;

    /// <summary>A symbolic link.</summary>
    public bool IsSymbolicLink => (Mode & TypeMask) == 0xA000;

    /// <summary>overlayfs's mark of a deleted lower file: a character device 0/0.</summary>
    public bool IsWhiteout => (Mode & TypeMask) == 0x2000 && DeviceMajor == 0 && DeviceMinor == 0;

    internal static FileStatus From(in FileSyscalls.Statx s) => new()
    {
        Mode = s.Mode,
        Uid = s.Uid,
        Gid = s.Gid,
        Size = (long)s.Size,
        AllocatedBytes = (long)s.Blocks * 512,
        LinkCount = s.LinkCount,
        Inode = s.Inode,
        MtimeSeconds = s.MtimeSeconds,
        MtimeNanoseconds = (int)s.MtimeNanoseconds,
        DeviceMajor = s.RdevMajor,
        DeviceMinor = s.RdevMinor,
        IsMountRoot = (s.Attributes & FileSyscalls.STATX_ATTR_MOUNT_ROOT) != 0,
    };
}
