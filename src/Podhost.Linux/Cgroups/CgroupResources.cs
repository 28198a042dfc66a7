namespace Podhost.Linux.Cgroups;

/// <summary>Limits and shares of a cgroup in the terms of cgroup v1, as CRI and OCI speak. Null leaves a value as it is.</summary>
public sealed record CgroupResources
{
    /// <summary>CPU weight, 2 to 262144; 1024 is one CPU's worth.</summary>
    public ulong? CpuShares { get; init; }

    /// <summary>The weight on v2, 1 to 10000, where it is not to be made from the shares.</summary>
    public ulong? CpuWeight { get; init; }

    /// <summary>CPU time in a period, in microseconds; -1 for no limit.</summary>
    public long? CpuQuota { get; init; }

    /// <summary>Length of the period in microseconds.</summary>
    public ulong? CpuPeriod { get; init; }

    /// <summary>The CPUs, as <c>0-3,7</c>.</summary>
    public string? CpusetCpus { get; init; }

    /// <summary>The memory nodes.</summary>
    public string? CpusetMems { get; init; }

    /// <summary>Memory in bytes; -1 for no limit.</summary>
    public long? MemoryLimit { get; init; }

    /// <summary>Memory and swap together in bytes; -1 for no limit.</summary>
    public long? MemorySwapLimit { get; init; }

    /// <summary>Number of processes and threads; -1 for no limit.</summary>
    public long? PidsLimit { get; init; }

    /// <summary>Bytes of huge pages by page size (<c>2MB</c>).</summary>
    public IReadOnlyDictionary<string, ulong> HugepageLimits { get; init; } = new Dictionary<string, ulong>();

    /// <summary>Files of cgroup v2 and their text; not applied on v1.</summary>
    public IReadOnlyDictionary<string, string> Unified { get; init; } = new Dictionary<string, string>();
}

/// <summary>Which cgroup hierarchies the machine has.</summary>
public enum CgroupMode
{
    /// <summary>One hierarchy for each controller.</summary>
    V1,

    /// <summary>v1 controllers, and a v2 hierarchy beside them.</summary>
    Hybrid,

    /// <summary>One hierarchy for all.</summary>
    V2,
}

/// <summary>One value to write.</summary>
/// <param name="Controller">The controller that has the file.</param>
/// <param name="File">The file's name in the cgroup.</param>
/// <param name="Value">The text.</param>
public readonly record struct CgroupSetting(string Controller, string File, string Value);
