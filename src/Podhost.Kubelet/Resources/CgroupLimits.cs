using System.Globalization;
using Podhost.Linux.Cgroups;

namespace Podhost.Kubelet.Resources;

/// <summary>What a cgroup has now of what a resize changes; -1 for no limit.</summary>
internal sealed class CgroupLimits(CgroupTree tree, string path)
{
    private const long V1Unlimited = 1L << 60;

    /// <summary>v1's shares; on v2 the greatest shares that have the cgroup's weight.</summary>
    public ulong CpuShares => tree.IsV2 ? SharesOf(Number("cpu", "cpu.weight")) : (ulong)Math.Max(0, Number("cpu", "cpu.shares"));

    /// <summary>In microseconds a period.</summary>
    public long CpuQuota => tree.IsV2 ? Number("cpu", "cpu.max") : Number("cpu", "cpu.cfs_quota_us");

    /// <summary>In bytes.</summary>
    public long MemoryLimit => Number("memory", tree.IsV2 ? "memory.max" : "memory.limit_in_bytes") is var limit && limit < V1Unlimited ? limit : -1;

    /// <summary>True where a limit allows more than the present one.</summary>
    public static bool IsMore(long? next, long present) => present >= 0 && (next < 0 || next > present);

    // The first word; "max", or no such file, counts as no limit.
    private long Number(string controller, string file) =>
        long.TryParse(tree.Read(controller, path, file)?.Split(' ')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;

    private static ulong SharesOf(long weight) => weight <= 0 ? 0 : 2 + ((((ulong)weight * 262142) - 1) / 9999);
}
