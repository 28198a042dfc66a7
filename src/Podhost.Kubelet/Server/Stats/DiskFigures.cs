using Podhost.Kubelet.Eviction;
using Podhost.Linux.Files;

namespace Podhost.Kubelet.Server.Stats;

/// <summary>A file system and what somebody holds of it.</summary>
/// <param name="System">The file system.</param>
/// <param name="UsedBytes">Bytes held.</param>
/// <param name="InodesUsed">Files held; null where nobody counts them.</param>
internal readonly record struct DiskFigures(FileSystemUsage System, long UsedBytes, long? InodesUsed)
{
    /// <summary>The file system of a path as a whole; null where the path cannot be read.</summary>
    public static DiskFigures? OfAll(string path) =>
        Read(path) is { } system ? new DiskFigures(system, system.TotalBytes - system.FreeBytes, system.Inodes - system.InodesFree) : null;

    /// <summary>What somebody holds of the file system of a path.</summary>
    public static DiskFigures? Of(string path, DiskUse use) => Read(path) is { } system ? new DiskFigures(system, use.Bytes, use.Inodes) : null;

    private static FileSystemUsage? Read(string path)
    {
        try
        {
            return FileSystemUsage.Read(path);
        }
        catch (IOException)
        {
            return null; // it went meanwhile
        }
    }
}
