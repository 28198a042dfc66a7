using System.Globalization;

namespace Podhost.Kubelet.Server.Metrics;

/// <summary>The open files of processes.</summary>
internal static class OpenFiles
{
    /// <summary>Most processes of one cgroup that are looked at: a container forks as much as it likes.</summary>
    private const int Most = 256;

    /// <summary>Open files, sockets among them, and the soft limit of the first process; null where it has ended.</summary>
    public static (int Descriptors, int Sockets, ulong? Limit) Of(IReadOnlyList<int> processes)
    {
        var (descriptors, sockets) = (0, 0);
        foreach (var process in processes.Take(Most))
        {
            foreach (var target in Targets(process))
            {
                descriptors++;
                sockets += target?.StartsWith("socket:", StringComparison.Ordinal) == true ? 1 : 0;
            }
        }

        return (descriptors, sockets, processes.Count > 0 ? Limit(processes[0]) : null);
    }

    /// <summary>Reads <c>Max open files  1024  4096  files</c>; the largest number stands for no limit.</summary>
    internal static ulong? ParseLimit(IEnumerable<string> lines)
    {
        var line = lines.FirstOrDefault(l => l.StartsWith("Max open files", StringComparison.Ordinal));
        return line?["Max open files".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries) is not [var soft, ..] ? null
            : ulong.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit
            : ulong.MaxValue;
    }

    private static List<string?> Targets(int process)
    {
        try
        {
            return [.. new DirectoryInfo(Path(process, "fd")).EnumerateFileSystemInfos().Select(f => f.LinkTarget)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // it ended meanwhile
        }
    }

    private static ulong? Limit(int process)
    {
        try
        {
            return ParseLimit(File.ReadLines(Path(process, "limits")));
        }
        catch (IOException)
        {
            return null; // it ended meanwhile
        }
    }

    private static string Path(int process, string file) => $"/proc/{process.ToString(CultureInfo.InvariantCulture)}/{file}";
}
