using System.Globalization;

namespace Podhost.Bench.Pods;

/// <summary>What processes hold in memory, as the kernel counts it.</summary>
internal static class Memory
{
    /// <summary>Resident bytes of a process.</summary>
    internal static double RssMegabytes(int pid) => Kilobytes($"/proc/{pid}/status", "VmRSS:") / 1024;

    /// <summary>
    /// Proportional bytes of everything that serves pods beside their workload: the conmon of each container, the infra process of each
    /// pod. A page that several share counts once in the sum.
    /// </summary>
    internal static (double Megabytes, int Processes) PssOfHelpers(string directory)
    {
        var helpers = Pids().Where(pid => IsHelper(pid, directory)).ToList();
        return (helpers.Sum(pid => Kilobytes($"/proc/{pid}/smaps_rollup", "Pss:")) / 1024, helpers.Count);
    }

    private static IEnumerable<int> Pids() =>
        Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Select(name => int.TryParse(name, out var pid) ? pid : 0).Where(pid => pid > 0);

    private static bool IsHelper(int pid, string directory)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/comm").Trim() switch
            {
                "conmon" => File.ReadAllText($"/proc/{pid}/cmdline").Contains(directory + "/", StringComparison.Ordinal),
                "catatonit" => File.ReadAllText($"/proc/{pid}/cgroup").Contains(Instance.CgroupRoot + "/", StringComparison.Ordinal),
                _ => false,
            };
        }
        catch (IOException)
        {
            return false; // It has ended.
        }
    }

    private static double Kilobytes(string file, string field) => File.ReadLines(file)
        .Where(line => line.StartsWith(field, StringComparison.Ordinal))
        .Select(line => double.Parse(line[field.Length..].Replace("kB", string.Empty, StringComparison.Ordinal), CultureInfo.InvariantCulture))
        .First();
}
