using Podhost.Linux.Cgroups;

namespace Podhost.Kubelet.Resources;

/// <summary>How requests and limits become cgroup values; the fields of KubeletConfiguration with these names.</summary>
public sealed record ResourceOptions
{
    /// <summary>The cgroup below which the tree of pods is made; absolute, relative to the mounts of the hierarchies.</summary>
    public string CgroupRoot { get; init; } = "/";

    /// <summary>Name of the cgroup of all pods.</summary>
    public string PodsCgroup { get; init; } = "kubepods";

    /// <summary>Enforces CPU limits by a quota.</summary>
    public bool CpuCfsQuota { get; init; } = true;

    /// <summary>The period of the quota.</summary>
    public TimeSpan CpuCfsQuotaPeriod { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Processes a pod may have; null or not positive: as many as the node allows.</summary>
    public long? PodPidsLimit { get; init; }

    /// <summary>Sets memory.min and memory.high (cgroup v2 only).</summary>
    public bool MemoryQos { get; init; }

    /// <summary>Where between request and limit memory.high lies.</summary>
    public decimal MemoryThrottlingFactor { get; init; } = 0.9m;

    /// <summary>One process of a container is killed on OOM, not all (cgroup v2; v1 can only do this).</summary>
    public bool SingleProcessOomKill { get; init; }

    /// <summary>The unified hierarchy carries the memory controller.</summary>
    public bool CgroupV2 { get; init; }

    /// <summary>The kernel accounts swap: containers get none beyond their memory limit.</summary>
    public bool SwapController { get; init; }

    /// <summary>Page sizes of the hugetlb controller (2MB), each limited to what was asked for, else 0.</summary>
    public IReadOnlyList<string> HugePageSizes { get; init; } = [];

    /// <summary>Holds all pods together to the node's allocatable CPU weight and memory.</summary>
    public bool EnforceNodeAllocatable { get; init; } = true;

    /// <summary>These options with what the machine's cgroups offer: version, swap accounting, huge page sizes.</summary>
    public ResourceOptions For(CgroupTree tree)
    {
        ArgumentNullException.ThrowIfNull(tree);
        return this with
        {
            CgroupV2 = tree.IsV2,
            SwapController = HasSwapAccounting(tree),
            HugePageSizes = HugePages(tree),
        };
    }

    internal long PeriodMicroseconds => (long)(CpuCfsQuotaPeriod.TotalMilliseconds * 1000);

    // The root of v2 has no memory files of its own: the first cgroup below it shows them.
    private static bool HasSwapAccounting(CgroupTree tree) => tree.IsV2
        ? tree.Children("/").Any(child => tree.Read("memory", "/" + child, "memory.swap.max") is not null)
        : tree.Read("memory", "/", "memory.memsw.limit_in_bytes") is not null;

    private static string[] HugePages(CgroupTree tree)
    {
        const string prefix = "hugepages-";
        const string directory = "/sys/kernel/mm/hugepages";
        if (!tree.Controllers.Contains("hugetlb") || !Directory.Exists(directory))
        {
            return [];
        }

        return [.. Directory.EnumerateDirectories(directory, prefix + "*kB")
            .Select(path => ResourceNames.HugePageUnit(prefix + Path.GetFileName(path)[prefix.Length..^2] + "Ki"))
            .OfType<string>()
            .Order(StringComparer.Ordinal)];
    }
}
