using System.Globalization;

namespace Podhost.Kubelet.Server.Metrics;

/// <summary>What a network interface has carried since it was made.</summary>
internal sealed record InterfaceCounters(string Name, long RxBytes, long RxPackets, long RxErrors, long RxDropped, long TxBytes, long TxPackets, long TxErrors, long TxDropped)
{
    /// <summary>Most interfaces of one network namespace that are told; a privileged container makes as many as it likes.</summary>
    private const int Most = 64;

    /// <summary>The interfaces of a process's network namespace without loopback; none where the process is gone.</summary>
    public static IReadOnlyList<InterfaceCounters> Of(int process)
    {
        try
        {
            return Parse(File.ReadLines($"/proc/{process.ToString(CultureInfo.InvariantCulture)}/net/dev").Take(Most + 3));
        }
        catch (IOException)
        {
            return []; // it ended meanwhile
        }
    }

    /// <summary>Reads <c>/proc/PID/net/dev</c>: two lines of headings, then name, colon and sixteen numbers.</summary>
    internal static IReadOnlyList<InterfaceCounters> Parse(IEnumerable<string> lines)
    {
        var result = new List<InterfaceCounters>();
        foreach (var line in lines.Skip(2))
        {
            var colon = line.LastIndexOf(':');
            var n = colon < 0 ? [] : line[(colon + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (n.Length >= 12 && line[..colon].Trim() is var name && name != "lo")
            {
                result.Add(new InterfaceCounters(name, Number(n[0]), Number(n[1]), Number(n[2]), Number(n[3]), Number(n[8]), Number(n[9]), Number(n[10]), Number(n[11])));
            }
        }

        return result;
    }

    private static long Number(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : 0;
}
