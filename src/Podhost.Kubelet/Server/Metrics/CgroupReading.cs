using System.Globalization;
using Podhost.Linux.Cgroups;

namespace Podhost.Kubelet.Server.Metrics;

/// <summary>What a cgroup tells beyond its <see cref="CgroupUsage"/>, v1 and v2 in one form. What the kernel does not tell is 0.</summary>
internal sealed class CgroupReading
{
    private const double TicksPerSecond = 100; // USER_HZ, the same on all Linux ports of .NET

    private CgroupReading(CgroupTree tree, string path, CgroupUsage usage)
    {
        Usage = usage;
        OomKills = CgroupUsage.OomKills(tree, path);
        var processes = tree.Processes(path);
        Processes = processes.Count;
        (Descriptors, Sockets, OpenFilesLimit) = OpenFiles.Of(processes);
        ThreadsMax = Number(tree.Read("pids", path, "pids.max"));
        Devices = DeviceCounters.Of(tree, path);
        var memory = Keyed(tree.Read("memory", path, "memory.stat"));
        var cpu = Keyed(tree.Read("cpu", path, "cpu.stat"));
        (Periods, ThrottledPeriods) = (cpu.GetValueOrDefault("nr_periods"), cpu.GetValueOrDefault("nr_throttled"));
        if (tree.IsV2)
        {
            (Cache, MappedFile) = (memory.GetValueOrDefault("file"), memory.GetValueOrDefault("file_mapped"));
            (UserSeconds, SystemSeconds) = (cpu.GetValueOrDefault("user_usec") / 1e6, cpu.GetValueOrDefault("system_usec") / 1e6);
            ThrottledSeconds = cpu.GetValueOrDefault("throttled_usec") / 1e6;
            MaxMemory = Number(tree.Read("memory", path, "memory.peak"));
            Shares = Number(tree.Read("cpu", path, "cpu.weight")) is > 0 and var weight ? 2 + ((weight - 1) * 262142 / 9999) : 0;
            var max = (tree.Read("cpu", path, "cpu.max") ?? "").Split(' ');
            (Quota, Period) = (Number(max[0]), Number(max.ElementAtOrDefault(1)));
            SwapLimit = Number(tree.Read("memory", path, "memory.swap.max"));
            Reservation = Number(tree.Read("memory", path, "memory.low"));
            return;
        }

        (Cache, MappedFile) = (memory.GetValueOrDefault("total_cache"), memory.GetValueOrDefault("total_mapped_file"));
        var times = Keyed(tree.Read("cpuacct", path, "cpuacct.stat"));
        (UserSeconds, SystemSeconds) = (times.GetValueOrDefault("user") / TicksPerSecond, times.GetValueOrDefault("system") / TicksPerSecond);
        ThrottledSeconds = cpu.GetValueOrDefault("throttled_time") / 1e9;
        MaxMemory = Number(tree.Read("memory", path, "memory.max_usage_in_bytes"));
        Failures = Number(tree.Read("memory", path, "memory.failcnt"));
        Shares = Number(tree.Read("cpu", path, "cpu.shares"));
        (Quota, Period) = (Number(tree.Read("cpu", path, "cpu.cfs_quota_us")), Number(tree.Read("cpu", path, "cpu.cfs_period_us")));
        SwapLimit = Limit(tree.Read("memory", path, "memory.memsw.limit_in_bytes"));
        Reservation = Limit(tree.Read("memory", path, "memory.soft_limit_in_bytes"));
    }

    public CgroupUsage Usage { get; }

    public ulong OomKills { get; }

    /// <summary>Processes, without their further threads.</summary>
    public int Processes { get; }

    /// <summary>Open files of all its processes.</summary>
    public int Descriptors { get; }

    /// <summary>Those of them that are sockets.</summary>
    public int Sockets { get; }

    /// <summary>How many files its first process may open; null where it has none.</summary>
    public ulong? OpenFilesLimit { get; }

    /// <summary>How many processes and threads it may have; 0 for no limit.</summary>
    public ulong ThreadsMax { get; }

    /// <summary>What it has read from and written to devices.</summary>
    public IReadOnlyList<DeviceCounters> Devices { get; }

    public ulong Cache { get; }

    public ulong MappedFile { get; }

    public double UserSeconds { get; }

    public double SystemSeconds { get; }

    public ulong Periods { get; }

    public ulong ThrottledPeriods { get; }

    public double ThrottledSeconds { get; }

    public ulong MaxMemory { get; }

    public ulong Failures { get; }

    public ulong Shares { get; }

    /// <summary>Microseconds a period; 0 for no limit.</summary>
    public ulong Quota { get; }

    public ulong Period { get; }

    public ulong SwapLimit { get; }

    public ulong Reservation { get; }

    /// <summary>Reads a cgroup; null where it is not there.</summary>
    public static CgroupReading? Read(CgroupTree tree, string path) => CgroupUsage.Read(tree, path) is { } usage ? new CgroupReading(tree, path, usage) : null;

    // v1 writes "no limit" as the largest multiple of the page size.
    private static ulong Limit(string? text) => Number(text) is var limit and < (1UL << 62) ? limit : 0;

    private static ulong Number(string? text) => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : 0;

    private static Dictionary<string, ulong> Keyed(string? text)
    {
        var values = new Dictionary<string, ulong>(StringComparer.Ordinal);
        foreach (var line in (text ?? "").Split('\n'))
        {
            if (line.Split(' ') is [var key, var value])
            {
                values[key] = Number(value);
            }
        }

        return values;
    }
}
