namespace Podhost.Kubelet.Resources;

/// <summary>What cgroups are told about a container or a pod. Null (or 0 in a quota) leaves a controller alone.</summary>
public sealed record LinuxResources
{
    /// <summary>cpu.shares, 2 to 262144.</summary>
    public long? CpuShares { get; init; }

    /// <summary>CFS quota in microseconds a period; -1 is explicitly no limit, 0 is not set.</summary>
    public long? CpuQuota { get; init; }

    /// <summary>CFS period in microseconds.</summary>
    public long? CpuPeriod { get; init; }

    /// <summary>Memory limit in bytes.</summary>
    public long? MemoryLimit { get; init; }

    /// <summary>Process limit.</summary>
    public long? PidsLimit { get; init; }

    /// <summary>oom_score_adj of the processes.</summary>
    public int? OomScoreAdj { get; init; }

    /// <summary>Bytes by page size as the controller names it (2MB).</summary>
    public IReadOnlyDictionary<string, long> HugePages { get; init; } = new Dictionary<string, long>();

    /// <summary>cgroup v2 files and values that have no field above (memory.high, memory.min, memory.oom.group).</summary>
    public IReadOnlyDictionary<string, string> Unified { get; init; } = new Dictionary<string, string>();
}
