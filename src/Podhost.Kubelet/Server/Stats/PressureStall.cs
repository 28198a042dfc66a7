using System.Globalization;

namespace Podhost.Kubelet.Server.Stats;

/// <summary>Pressure stall information of one resource (PSI): how long tasks waited for it.</summary>
/// <param name="Some">At least one task waited.</param>
/// <param name="Full">All tasks waited.</param>
internal sealed record PressureStall(StallTimes Some, StallTimes Full)
{
    /// <summary>Reads <c>some avg10=0.00 avg60=0.00 avg300=0.00 total=0</c> and the like for <c>full</c>; null where the kernel tells nothing.</summary>
    public static PressureStall? Parse(string? text)
    {
        var lines = (text ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return lines.FirstOrDefault(l => l.StartsWith("some ", StringComparison.Ordinal)) is { } some
            ? new PressureStall(Times(some), Times(lines.FirstOrDefault(l => l.StartsWith("full ", StringComparison.Ordinal)) ?? ""))
            : null;
    }

    /// <summary>The whole machine's; null where the kernel has no PSI.</summary>
    /// <param name="resource">cpu, memory or io.</param>
    public static PressureStall? OfMachine(string resource)
    {
        try
        {
            return Parse(File.ReadAllText("/proc/pressure/" + resource));
        }
        catch (IOException)
        {
            return null; // built or booted without it
        }
    }

    private static StallTimes Times(string line)
    {
        var fields = line.Split(' ').Select(f => f.Split('=')).Where(f => f.Length == 2).ToDictionary(f => f[0], f => f[1], StringComparer.Ordinal);
        double Average(string name) => double.TryParse(fields.GetValueOrDefault(name), NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : 0;

        // The kernel counts microseconds, the API nanoseconds.
        var total = ulong.TryParse(fields.GetValueOrDefault("total"), NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds) ? microseconds * 1000 : 0;
        return new StallTimes(total, Average("avg10"), Average("avg60"), Average("avg300"));
    }
}

/// <summary>How long tasks waited.</summary>
/// <param name="TotalNanoseconds">In all.</param>
/// <param name="Average10">Percent of the last 10 seconds.</param>
/// <param name="Average60">Percent of the last minute.</param>
/// <param name="Average300">Percent of the last five minutes.</param>
internal readonly record struct StallTimes(ulong TotalNanoseconds, double Average10, double Average60, double Average300);
