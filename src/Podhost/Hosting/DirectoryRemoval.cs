using System.Globalization;
using Podhost.Linux.Files;
using Podhost.Linux.Mounts;

namespace Podhost.Hosting;

/// <summary>Removing an instance's directories: first everything that is mounted below them, then the files. Nothing below a mount is ever deleted.</summary>
internal static class DirectoryRemoval
{
    /// <summary>Unmounts everything below a directory, the deepest first.</summary>
    public static void Unmount(string directory)
    {
        var mounter = new Mounter();
        var below = MountTable.Read()
            .Select(m => m.MountPoint)
            .Where(p => p == directory || p.StartsWith(directory + "/", StringComparison.Ordinal))
            .OrderByDescending(p => p.Length);
        foreach (var mountPoint in below)
        {
            mounter.Unmount(mountPoint);
        }
    }

    /// <summary>Deletes a directory with everything in it.</summary>
    /// <exception cref="IOException">Something is still mounted below it.</exception>
    public static void Delete(string directory)
    {
        if (MountTable.Read().FirstOrDefault(m => m.MountPoint.StartsWith(directory + "/", StringComparison.Ordinal)) is { } mounted)
        {
            throw new IOException(string.Create(CultureInfo.InvariantCulture, $"{mounted.MountPoint} is still mounted: {directory} is left as it is"));
        }

        FileTree.Delete(directory, CancellationToken.None);
    }
}
