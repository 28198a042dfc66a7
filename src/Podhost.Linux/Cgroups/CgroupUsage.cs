using System.Globalization;

namespace Podhost.Linux.Cgroups;

/// <summary>What a cgroup and those below it have used. Zero where the machine does not count it.</summary>
/// <param name="CpuNanoseconds">CPU time since its creation.</param>
/// <param name="MemoryBytes">Memory in use, page cache included.</param>
/// <param name="WorkingSetBytes">Memory in use without the page cache that has not been touched lately.</param>
/// <param name="RssBytes">Anonymous memory.</param>
/// <param name="MemoryLimitBytes">The limit; null for none.</param>
/// <param name="PageFaults">Page faults.</param>
/// <param name="MajorPageFaults">Page faults that read from a disk.</param>
/// <param name="SwapBytes">Swap in use.</param>
/// <param name="Processes">Processes and threads.</param>
public sealed record CgroupUsage(
    ulong CpuNanoseconds,
    ulong MemoryBytes,
    ulong WorkingSetBytes,
    ulong RssBytes,
    ulong? MemoryLimitBytes,
    ulong PageFaults,
    ulong MajorPageFaults,
    ulong SwapBytes,
    ulong Processes)
{
    // v1 writes "no limit" as the largest multiple of the page size.
    private const ulong NoLimitV1 = 1UL << 62;

    /// <summary>Reads the usage; null when the cgroup does not exist.</summary>
    /// <param name="tree">The cgroups.</param>
    /// <param name="path">The cgroup.</param>
    public static CgroupUsage? Read(CgroupTree tree, string path)
    {
        ArgumentNullException.ThrowIfNull(tree);
        return !tree.Exists(path) ? null : tree.IsV2 ? ReadV2(tree, path) : ReadV1(tree, path);
    }

    /// <summary>How many processes the out-of-memory killer took in the cgroup.</summary>
    /// <param name="tree">The cgroups.</param>
    /// <param name="path">The cgroup.</param>
    public static ulong OomKills(CgroupTree tree, string path)
    {
        ArgumentNullException.ThrowIfNull(tree);
        return Keyed(tree.Read("memory", path, tree.IsV2 ? "memory.events" : "memory.oom_control")).GetValueOrDefault("oom_kill");
    }

    private static CgroupUsage ReadV1(CgroupTree tree, string path)
    {
        var stat = Keyed(tree.Read("memory", path, "memory.stat"));
        var usage = Number(tree.Read("memory", path, "memory.usage_in_bytes"));
        var limit = Number(tree.Read("memory", path, "memory.limit_in_bytes"));
        return new CgroupUsage(
            Number(tree.Read("cpuacct", path, "cpuacct.usage")),
            usage,
            Minus(usage, stat.GetValueOrDefault("total_inactive_file")),
            stat.GetValueOrDefault("total_rss"),
            limit is 0 or >= NoLimitV1 ? null : limit,
            stat.GetValueOrDefault("total_pgfault"),
            stat.GetValueOrDefault("total_pgmajfault"),
            stat.GetValueOrDefault("total_swap"),
            Number(tree.Read("pids", path, "pids.current")));
    }

    private static CgroupUsage ReadV2(CgroupTree tree, string path)
    {
        var stat = Keyed(tree.Read("memory", path, "memory.stat"));
        var usage = Number(tree.Read("memory", path, "memory.current"));
        var limit = tree.Read("memory", path, "memory.max");
        return new CgroupUsage(
            Keyed(tree.Read("cpu", path, "cpu.stat")).GetValueOrDefault("usage_usec") * 1000,
            usage,
            Minus(usage, stat.GetValueOrDefault("inactive_file")),
            stat.GetValueOrDefault("anon"),
            limit is null or "max" ? null : Number(limit),
            stat.GetValueOrDefault("pgfault"),
            stat.GetValueOrDefault("pgmajfault"),
            Number(tree.Read("memory", path, "memory.swap.current")),
            Number(tree.Read("pids", path, "pids.current")));
    }

    private static ulong Minus(ulong whole, ulong part) => whole > part ? whole - part : 0;

    private static ulong Number(string? text) => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : 0;

    private static Dictionary<string, ulong> Keyed(string? text)
    {
        var values = new Dictionary<string, ulong>(StringComparer.Ordinal);
        foreach (var line in (text ?? string.Empty).Split('\n'))
        {
            var blank = line.IndexOf(' ', StringComparison.Ordinal);
            if (blank > 0)
            {
                values[line[..blank]] = Number(line[(blank + 1)..]);
            }
        }

        return values;
    }
}
