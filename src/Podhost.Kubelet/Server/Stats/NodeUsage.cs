using System.Globalization;

namespace Podhost.Kubelet.Server.Stats;

/// <summary>What the machine uses, from /proc.</summary>
/// <param name="CpuNanoseconds">Processor time used since boot, all cores.</param>
/// <param name="MemoryTotal">Bytes.</param>
/// <param name="MemoryAvailable">Bytes beyond the working set: the total less what is used, page cache that was not touched lately not counted (upstream's node.stats.memory).</param>
/// <param name="MemoryFree">Bytes that nothing uses.</param>
/// <param name="BootedAt">When the machine started.</param>
internal sealed record NodeUsage(long CpuNanoseconds, long MemoryTotal, long MemoryAvailable, long MemoryFree, DateTimeOffset BootedAt)
{
    private const long TicksPerSecond = 100; // USER_HZ, the same on all Linux ports of .NET

    /// <summary>Bytes of anonymous memory.</summary>
    public long Rss { get; init; }

    /// <summary>Page faults since boot.</summary>
    public long PageFaults { get; init; }

    /// <summary>Those that read from a disk.</summary>
    public long MajorPageFaults { get; init; }

    /// <summary>Bytes of swap.</summary>
    public long SwapTotal { get; init; }

    /// <summary>Bytes of swap that nothing uses.</summary>
    public long SwapFree { get; init; }

    /// <summary>Reads /proc/stat, /proc/meminfo and /proc/vmstat.</summary>
    public static NodeUsage Read() => Parse(File.ReadAllLines("/proc/stat"), File.ReadAllLines("/proc/meminfo"), File.ReadAllLines("/proc/vmstat"));

    /// <summary>Processes and threads that there are, and how many there can be.</summary>
    public static (long Running, long Most) Processes()
    {
        // 0.10 0.05 0.01 2/345 6789: runnable and all, then the newest number.
        var load = File.ReadAllText("/proc/loadavg").Split(' ')[3].Split('/')[1];
        return (Number(load), Math.Min(Number(File.ReadAllText("/proc/sys/kernel/pid_max").Trim()), Number(File.ReadAllText("/proc/sys/kernel/threads-max").Trim())));
    }

    internal static NodeUsage Parse(string[] stat, string[] meminfo, string[] vmstat)
    {
        // cpu  user nice system idle iowait irq softirq steal guest guest_nice; guest times are part of user and nice.
        var cpu = Fields(stat.First(l => l.StartsWith("cpu ", StringComparison.Ordinal)))[1..].Select(Number).ToArray();
        var busy = cpu[0] + cpu[1] + cpu[2] + cpu.ElementAtOrDefault(5) + cpu.ElementAtOrDefault(6) + cpu.ElementAtOrDefault(7);
        var boot = Number(Fields(stat.First(l => l.StartsWith("btime ", StringComparison.Ordinal)))[1]);
        return new NodeUsage(
            busy * (1_000_000_000 / TicksPerSecond), Memory("MemTotal:"), Memory("MemFree:") + Memory("Inactive(file):"), Memory("MemFree:"), DateTimeOffset.FromUnixTimeSeconds(boot))
        {
            Rss = Memory("AnonPages:"),
            SwapTotal = Memory("SwapTotal:"),
            SwapFree = Memory("SwapFree:"),
            PageFaults = Named(vmstat, "pgfault "),
            MajorPageFaults = Named(vmstat, "pgmajfault "),
        };

        long Memory(string name) => Named(meminfo, name) * 1024;
    }

    private static long Named(string[] lines, string name) => lines.FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal)) is { } line ? Number(Fields(line)[1]) : 0;

    private static string[] Fields(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
