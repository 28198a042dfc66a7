using System.Diagnostics;
using System.Globalization;
using Podhost.Cri.V1;
using Podhost.Linux.Cgroups;

namespace Podhost.Kubelet.Server.Stats;

/// <summary>What a cgroup, a container or a process uses. Null is what nobody tells.</summary>
internal sealed record UsageFigures
{
    /// <summary>Processor time in nanoseconds.</summary>
    public ulong? CpuNanoseconds { get; init; }

    /// <summary>Its rate in billionths of a core, where the runtime tells it.</summary>
    public ulong? NanoCores { get; init; }

    /// <summary>Bytes of memory, page cache included.</summary>
    public ulong? Memory { get; init; }

    public ulong? WorkingSet { get; init; }

    public ulong? Rss { get; init; }

    /// <summary>Bytes of memory beyond the working set; null where nothing limits it.</summary>
    public ulong? MemoryAvailable { get; init; }

    public ulong? PageFaults { get; init; }

    public ulong? MajorPageFaults { get; init; }

    public ulong? Swap { get; init; }

    public ulong? SwapAvailable { get; init; }

    public ulong? Processes { get; init; }

    public PressureStall? CpuStall { get; init; }

    public PressureStall? MemoryStall { get; init; }

    public PressureStall? IoStall { get; init; }

    /// <summary>What the kernel says of a cgroup; null where it is not there.</summary>
    public static UsageFigures? Of(CgroupTree tree, string path)
    {
        if (CgroupUsage.Read(tree, path) is not { } usage)
        {
            return null;
        }

        // v1 has no pressure of a cgroup, and its limit of swap is one of memory and swap together.
        PressureStall? Stall(string resource) => tree.IsV2 ? PressureStall.Parse(tree.Read(resource, path, resource + ".pressure")) : null;
        return new UsageFigures
        {
            CpuNanoseconds = usage.CpuNanoseconds,
            Memory = usage.MemoryBytes,
            WorkingSet = usage.WorkingSetBytes,
            Rss = usage.RssBytes,
            MemoryAvailable = usage.MemoryLimitBytes is { } limit ? Minus(limit, usage.WorkingSetBytes) : null,
            PageFaults = usage.PageFaults,
            MajorPageFaults = usage.MajorPageFaults,
            Swap = usage.SwapBytes,
            SwapAvailable = tree.IsV2 && ulong.TryParse(tree.Read("memory", path, "memory.swap.max"), NumberStyles.None, CultureInfo.InvariantCulture, out var most)
                ? Minus(most, usage.SwapBytes)
                : null,
            Processes = usage.Processes,
            CpuStall = Stall("cpu"),
            MemoryStall = Stall("memory"),
            IoStall = Stall("io"),
        };
    }

    /// <summary>What the runtime says of a container.</summary>
    public static UsageFigures Of(ContainerStats stats) => Of(stats.Cpu, stats.Memory, stats.Swap);

    /// <summary>What the runtime says of a sandbox, or the sum of its containers.</summary>
    public static UsageFigures Of(PodUsage pod) => pod.Sandbox?.Linux is { Cpu: not null } linux
        ? Of(linux.Cpu, linux.Memory, null) with { Processes = linux.Process?.ProcessCount?.Value }
        : new UsageFigures { CpuNanoseconds = pod.CpuNanoseconds, NanoCores = pod.CpuNanoCores, WorkingSet = pod.WorkingSet };

    /// <summary>This process's own, where its cgroup is the machine's.</summary>
    public static UsageFigures OfThisProcess()
    {
        using var self = Process.GetCurrentProcess();
        var memory = (ulong)self.WorkingSet64;

        // Behind the name in parentheses: state, ppid, pgrp, session, tty, tpgid, flags, minflt, cminflt, majflt.
        var stat = File.ReadAllText("/proc/self/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        var (minor, major) = (ulong.Parse(fields[7], CultureInfo.InvariantCulture), ulong.Parse(fields[9], CultureInfo.InvariantCulture));
        return new UsageFigures
        {
            CpuNanoseconds = (ulong)self.TotalProcessorTime.Ticks * 100,
            Memory = memory,
            WorkingSet = memory,
            Rss = memory,
            PageFaults = minor + major,
            MajorPageFaults = major,
            CpuStall = PressureStall.OfMachine("cpu"),
            MemoryStall = PressureStall.OfMachine("memory"),
        };
    }

    private static UsageFigures Of(CpuUsage? cpu, MemoryUsage? memory, SwapUsage? swap) => new()
    {
        CpuNanoseconds = cpu?.UsageCoreNanoSeconds?.Value,
        NanoCores = cpu?.UsageNanoCores?.Value,
        Memory = memory?.UsageBytes?.Value,
        WorkingSet = memory?.WorkingSetBytes?.Value,
        Rss = memory?.RssBytes?.Value,
        MemoryAvailable = memory?.AvailableBytes?.Value,
        PageFaults = memory?.PageFaults?.Value,
        MajorPageFaults = memory?.MajorPageFaults?.Value,
        Swap = swap?.SwapUsageBytes?.Value,
        SwapAvailable = swap?.SwapAvailableBytes?.Value,
    };

    private static ulong Minus(ulong whole, ulong part) => whole > part ? whole - part : 0;
}
