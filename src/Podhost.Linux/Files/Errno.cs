namespace Podhost.Linux.Files;

/// <summary>Error numbers that callers of this folder tell apart (the same on every architecture that .NET runs on).</summary>
public static class Errno
{
    /// <summary>Operation not permitted.</summary>
    public const int EPERM = 1;

    /// <summary>No such file or directory.</summary>
    public const int ENOENT = 2;

    /// <summary>Device or resource busy.</summary>
    public const int EBUSY = 16;

    /// <summary>File exists.</summary>
    public const int EEXIST = 17;

    /// <summary>Invalid cross-device link.</summary>
    public const int EXDEV = 18;

    /// <summary>Not a directory.</summary>
    public const int ENOTDIR = 20;

    /// <summary>Is a directory.</summary>
    public const int EISDIR = 21;

    /// <summary>Invalid argument.</summary>
    public const int EINVAL = 22;

    /// <summary>No space left on device.</summary>
    public const int ENOSPC = 28;

    /// <summary>Directory not empty.</summary>
    public const int ENOTEMPTY = 39;

    /// <summary>Too many symbolic links.</summary>
    public const int ELOOP = 40;

    /// <summary>No such attribute.</summary>
    public const int ENODATA = 61;

    /// <summary>Operation not supported.</summary>
    public const int ENOTSUP = 95;

    internal const int EAGAIN = 11;
    internal const int EINTR = 4;
}
