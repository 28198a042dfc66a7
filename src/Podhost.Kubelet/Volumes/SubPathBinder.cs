using Podhost.Linux.Mounts;
using Podhost.Linux.Native;
using Podhost.Linux.Paths;

namespace Podhost.Kubelet.Volumes;

/// <summary>
/// Parts of volumes. The part is opened below the volume in one step that cannot be led out of it, and what was opened is bound to a
/// place that containers cannot reach: a link put there later changes nothing.
/// </summary>
internal sealed class SubPathBinder(PodPaths paths, IMounter mounter)
{
    /// <summary>What identifies a mount of a container.</summary>
    internal readonly record struct Target(string PodUid, string Volume, string Container, int Index);

    /// <summary>Checks a subPath that the API has validated already, or that variables have made.</summary>
    /// <exception cref="Handlers.VolumeSetUpException">It is absolute or has "..".</exception>
    public static void Check(string subPath)
    {
        if (subPath.StartsWith('/'))
        {
            throw new Handlers.VolumeSetUpException($"error SubPath `{subPath}` must not be an absolute path");
        }

        if (subPath.Split('/').Contains(".."))
        {
            throw new Handlers.VolumeSetUpException($"unable to provision SubPath `{subPath}`: must not contain '..'");
        }
    }

    /// <summary>The path to mount in place of <c>volume/subPath</c>; a missing directory is made with the mode of the volume.</summary>
    /// <exception cref="LinuxException">The path leads out of the volume, or the kernel refused.</exception>
    public string Bind(string volumePath, string subPath, Target target)
    {
        using var source = PathBeneath.TryOpen(volumePath, subPath) ?? Create(volumePath, subPath);
        var path = paths.SubPath(target.PodUid, target.Volume, target.Container, target.Index);
        if (PathStatus.Read(path, follow: false) is { IsMountRoot: true } mounted)
        {
            // A restarted container: the same thing is still mounted, or the volume has a newer one by now.
            if (mounted.Device == source.Status.Device && mounted.Inode == source.Status.Inode)
            {
                return path;
            }

            mounter.Unmount(path);
        }

        MakeTarget(path, source.Status.Kind == PathKind.Directory);
        mounter.Bind(source.ProcPath, path, recursive: false);
        return path;
    }

    private static PathBeneath Create(string volumePath, string subPath)
    {
        var mode = PathStatus.Read(volumePath)?.Mode ?? throw new IOException($"{volumePath} is gone");
        PathBeneath.CreateDirectories(volumePath, subPath, mode);
        return PathBeneath.TryOpen(volumePath, subPath) ?? throw new IOException($"{subPath} was removed while it was made");
    }

    private static void MakeTarget(string path, bool directory)
    {
        var kind = PathStatus.Read(path, follow: false)?.Kind;
        if (kind is not null && (kind == PathKind.Directory) != directory)
        {
            if (kind == PathKind.Directory)
            {
                Directory.Delete(path);
            }
            else
            {
                File.Delete(path);
            }
        }

        if (directory)
        {
            Directory.CreateDirectory(path);
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using (new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write))
        {
        }
    }
}
