using Podhost.Linux.Native;

namespace Podhost.Linux.Paths;

/// <summary>Owners and permissions by path, for trees that nobody else writes.</summary>
public static class PathOwnership
{
    /// <summary>Leaves the owner or group as it is.</summary>
    public const uint Keep = uint.MaxValue;

    /// <summary>Sets owner and group of a path itself, also where it is a link.</summary>
    /// <exception cref="LinuxException">Refused.</exception>
    public static void SetOwner(string path, uint uid, uint gid) =>
        LinuxException.ThrowIf(PathCalls.Lchown(path, uid, gid) != 0, $"chown {uid}:{gid} {path}");

    /// <summary>Sets permissions, set-group-ID and sticky bit included. A link is followed.</summary>
    /// <exception cref="LinuxException">Refused.</exception>
    public static void SetMode(string path, int mode) =>
        LinuxException.ThrowIf(PathCalls.Chmod(path, (uint)mode) != 0, $"chmod {Convert.ToString(mode, 8)} {path}");
}
