using System.Globalization;
using Podhost.Linux.Mounts;

namespace Podhost.Runtime.Snapshots;

/// <summary>
/// What containers with users of their own are shown: mounts in a directory of the container that everyone may pass through, since the first
/// process of such a container opens its root as a user without rights on the machine. With mapped owners where that is asked for.
/// </summary>
internal sealed class MappedMounts(RuntimePaths paths, IMounter mounter)
{
    private const string RootName = "rootfs";

    /// <summary>Shows a root file system as it is. Idempotent only after <see cref="Remove"/>.</summary>
    internal string ShowRoot(string id, string source) => Show(id, RootName, source, userNamespace: null);

    /// <summary>Shows a directory or file with mapped owners.</summary>
    /// <param name="id">The container.</param>
    /// <param name="index">The number of the mount.</param>
    /// <param name="source">What to show.</param>
    /// <param name="userNamespace">The file of the user namespace.</param>
    /// <exception cref="Podhost.Linux.Native.LinuxException">EINVAL where the file system cannot do it.</exception>
    internal string ShowMapped(string id, int index, string source, string userNamespace) =>
        Show(id, index.ToString(CultureInfo.InvariantCulture), source, userNamespace);

    /// <summary>Takes everything of a container away. Idempotent.</summary>
    internal void Remove(string id)
    {
        var directory = paths.MappedDirectory(id);
        if (!Directory.Exists(directory))
        {
            return;
        }

        foreach (var path in Directory.EnumerateFileSystemEntries(directory).ToList())
        {
            mounter.Unmount(path);
            if (Directory.Exists(path))
            {
                Directory.Delete(path); // Not recursive: what is still mounted stays.
            }
            else
            {
                File.Delete(path);
            }
        }

        Directory.Delete(directory);
    }

    private string Show(string id, string name, string source, string? userNamespace)
    {
        var directory = paths.MappedDirectory(id);
        Directory.CreateDirectory(directory);
        File.SetUnixFileMode(directory, RuntimePaths.OpenDirectory);
        var target = Path.Combine(directory, name);
        if (Directory.Exists(source))
        {
            Directory.CreateDirectory(target);
        }
        else
        {
            File.WriteAllBytes(target, []);
        }

        IdMappedMount.Bind(source, target, userNamespace, recursive: true);
        return target;
    }
}
