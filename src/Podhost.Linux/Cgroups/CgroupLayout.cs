using Podhost.Linux.Mounts;

namespace Podhost.Linux.Cgroups;

/// <summary>Where the hierarchies are mounted.</summary>
/// <param name="Mode">Which hierarchies there are.</param>
/// <param name="Unified">The mount point of the v2 hierarchy; null on pure v1.</param>
/// <param name="V1">Controller (or <c>name=systemd</c>) to mount point.</param>
public sealed record CgroupLayout(CgroupMode Mode, string? Unified, IReadOnlyDictionary<string, string> V1)
{
    private static readonly string[] Known =
        ["cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "hugetlb", "net_cls", "net_prio", "perf_event", "rdma", "misc"];

    // Where the OCI runtimes look to tell the mode.
    private const string UsualRoot = "/sys/fs/cgroup";

    /// <summary>A short text that changes when the layout does, to key cached verdicts by.</summary>
    public string Fingerprint => $"{Mode};{Unified};{string.Join(',', V1.Select(pair => pair.Key).Order(StringComparer.Ordinal))}";

    /// <summary>The layout of this machine.</summary>
    public static CgroupLayout Detect() => From(MountTable.Read());

    /// <summary>The layout that a mount table shows.</summary>
    /// <param name="mounts">The mount table.</param>
    public static CgroupLayout From(IReadOnlyList<MountEntry> mounts)
    {
        ArgumentNullException.ThrowIfNull(mounts);
        string? unified = null;
        var v1 = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var mount in mounts)
        {
            if (mount.FileSystem == "cgroup2")
            {
                // It may be mounted elsewhere too, for a container or a chroot.
                unified = unified is null || mount.MountPoint == UsualRoot ? mount.MountPoint : unified;
            }
            else if (mount.FileSystem == "cgroup")
            {
                foreach (var option in mount.SuperOptions.Split(','))
                {
                    if (Known.Contains(option) || option.StartsWith("name=", StringComparison.Ordinal))
                    {
                        v1.TryAdd(option, mount.MountPoint);
                    }
                }
            }
        }

        // v2 on the usual root has the controllers, whatever of v1 is mounted beside it (a named hierarchy of an init, say).
        if (v1.Count == 0 || unified == UsualRoot)
        {
            v1.Clear();
        }

        var mode = v1.Count == 0 ? CgroupMode.V2 : unified is null ? CgroupMode.V1 : CgroupMode.Hybrid;
        return mode == CgroupMode.V2 && unified is null
            ? throw new IOException("no cgroup hierarchy is mounted (mount cgroup2 on /sys/fs/cgroup)")
            : new CgroupLayout(mode, unified, v1);
    }
}
