using Podhost.Linux.Nftables;

namespace Podhost.Network.ServiceProxy;

/// <summary>Whether the kernel shows packets between ports of a bridge to netfilter (module br_netfilter and its switch).</summary>
internal static class BridgedTraffic
{
    public static bool IsSeen(NftFamily family)
    {
        var path = "/proc/sys/net/bridge/bridge-nf-call-" + (family == NftFamily.IPv6 ? "ip6tables" : "iptables");
        return File.Exists(path) && File.ReadAllText(path).Trim() == "1";
    }
}
