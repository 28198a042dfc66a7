namespace Podhost.Linux.Native;

/// <summary>Error numbers that callers decide on (the same on x86-64 and arm64).</summary>
public static class Errno
{
    /// <summary>Operation not permitted.</summary>
    public const int EPERM = 1;

    /// <summary>No such file or directory.</summary>
    public const int ENOENT = 2;

    /// <summary>No such process.</summary>
    public const int ESRCH = 3;

    /// <summary>Interrupted by a signal.</summary>
    public const int EINTR = 4;

    /// <summary>Input or output error; the end of a terminal whose other side has closed.</summary>
    public const int EIO = 5;

    /// <summary>Would block.</summary>
    public const int EAGAIN = 11;

    /// <summary>No child process.</summary>
    public const int ECHILD = 10;

    /// <summary>Permission denied.</summary>
    public const int EACCES = 13;

    /// <summary>Busy.</summary>
    public const int EBUSY = 16;

    /// <summary>Exists already.</summary>
    public const int EEXIST = 17;

    /// <summary>No such device.</summary>
    public const int ENODEV = 19;

    /// <summary>Invalid argument; a path that is not a mount point for umount.</summary>
    public const int EINVAL = 22;

    /// <summary>Broken pipe.</summary>
    public const int EPIPE = 32;

    /// <summary>System call not implemented by the kernel.</summary>
    public const int ENOSYS = 38;

    /// <summary>Not supported.</summary>
    public const int EOPNOTSUPP = 95;

    /// <summary>Address in use.</summary>
    public const int EADDRINUSE = 98;

    /// <summary>Address not available.</summary>
    public const int EADDRNOTAVAIL = 99;

    /// <summary>No buffer space; a netlink socket that lost messages.</summary>
    public const int ENOBUFS = 105;

    /// <summary>Data is missing.</summary>
    public const int ENODATA = 61;
}
