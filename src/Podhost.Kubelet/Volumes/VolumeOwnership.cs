using Podhost.Linux.Paths;

namespace Podhost.Kubelet.Volumes;

/// <summary>fsGroup: what the pod's group may do in a volume. Directories hand the group on to what is made in them.</summary>
internal static class VolumeOwnership
{
    private const int ReadWrite = 0x1b0; // 0660
    private const int ReadOnly = 0x120; // 0440
    private const int Search = 0x48; // 0110
    private const int SetGid = 0x400; // 02000

    /// <summary>The mode of an entry once the group owns it.</summary>
    public static int ModeOf(int mode, bool isDirectory, bool readOnly) =>
        mode | (readOnly ? ReadOnly : ReadWrite) | (isDirectory ? SetGid | Search : 0);

    /// <summary>Gives one directory or file to the group.</summary>
    public static void Apply(string path, long group, bool readOnly)
    {
        if (PathStatus.Read(path, follow: false) is not { } status)
        {
            return;
        }

        // First the owner: chown clears set-user-ID and set-group-ID bits.
        PathOwnership.SetOwner(path, PathOwnership.Keep, (uint)group);
        if (status.Kind != PathKind.Link)
        {
            PathOwnership.SetMode(path, ModeOf(status.Mode, status.Kind == PathKind.Directory, readOnly));
        }
    }

    /// <summary>Gives a tree that only the kubelet writes to the group.</summary>
    public static void ApplyTree(string path, long group, bool readOnly)
    {
        foreach (var entry in Directory.EnumerateFileSystemEntries(path, "*", SearchOption.AllDirectories))
        {
            Apply(entry, group, readOnly);
        }

        Apply(path, group, readOnly);
    }
}
