using Podhost.Linux.Files;
using Podhost.Linux.Mounts;
using Podhost.Linux.Paths;

namespace Podhost.Kubelet.Volumes;

/// <summary>The directories of pods on disk, and their end.</summary>
internal sealed class PodDirectories(PodPaths paths, IMounter mounter)
{
    private const int MaxRounds = 16;

    /// <summary>UIDs of the pods that have a directory.</summary>
    public IReadOnlyCollection<string> List() =>
        Directory.Exists(paths.Pods) ? [.. Directory.EnumerateDirectories(paths.Pods).Select(p => Path.GetFileName(p))] : [];

    /// <summary>
    /// Unmounts everything below a pod's directory and deletes it. While anything is mounted below it nothing is deleted: it may be the
    /// node's own files, bound there.
    /// </summary>
    /// <exception cref="IOException">Something stays mounted or cannot be deleted.</exception>
    public void Remove(string podUid, CancellationToken cancellationToken)
    {
        var path = paths.Pod(podUid);
        if (!Directory.Exists(path))
        {
            return;
        }

        var real = RealPath(path);
        for (var round = 0; Below(real) is { Count: > 0 } mounts; round++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (round == MaxRounds)
            {
                throw new IOException($"{mounts[0]} stays mounted");
            }

            foreach (var mount in mounts)
            {
                mounter.Unmount(mount);
            }
        }

        FileTree.Delete(path, cancellationToken);
    }

    /// <summary>Mount points below a directory, the newest first: what lies on another comes before it.</summary>
    private static List<string> Below(string real) =>
        [.. MountTable.Read().Select(m => m.MountPoint).Where(m => m.StartsWith(real + "/", StringComparison.Ordinal)).Reverse()];

    /// <summary>The path as the mount table names it, links resolved.</summary>
    private static string RealPath(string path)
    {
        using var opened = PathBeneath.TryOpen(path, "") ?? throw new IOException($"{path} is gone");
        return new FileInfo(opened.ProcPath).LinkTarget ?? path;
    }
}
