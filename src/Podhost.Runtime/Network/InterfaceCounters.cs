using Podhost.Cri.V1;

namespace Podhost.Runtime.Network;

/// <summary>The kernel's counters of an interface on the node.</summary>
internal static class InterfaceCounters
{
    /// <summary>The usage of a pod's interface, read at the node's end of the pair; null when that is gone.</summary>
    /// <param name="inside">The interface's name in the pod.</param>
    /// <param name="outside">The node's end.</param>
    internal static NetworkInterfaceUsage? SeenFromPod(string inside, string outside)
    {
        var statistics = $"/sys/class/net/{outside}/statistics/";
        if (!Directory.Exists(statistics))
        {
            return null;
        }

        try
        {
            // What the node's end receives, the pod has sent.
            return new NetworkInterfaceUsage
            {
                Name = inside,
                RxBytes = Counter(statistics + "tx_bytes"),
                RxErrors = Counter(statistics + "tx_errors"),
                TxBytes = Counter(statistics + "rx_bytes"),
                TxErrors = Counter(statistics + "rx_errors"),
            };
        }
        catch (IOException)
        {
            // The interface went between two files (EINVAL, or not found): its pod is being stopped.
            return null;
        }
    }

    private static UInt64Value Counter(string file) => new() { Value = ulong.TryParse(File.ReadAllText(file).AsSpan().Trim(), out var value) ? value : 0 };
}
