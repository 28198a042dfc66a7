namespace Podhost.Network.ServiceProxy;

/// <summary>Whether the kernel shows packets between ports of a bridge to netfilter (module br_netfilter and its switch).</summary>
internal static class BridgedTraffic
{
    private const string Switch = "/proc/sys/net/bridge/bridge-nf-call-iptables";

    public static bool IsSeen() => File.Exists(Switch) && File.ReadAllText(Switch).Trim() == "1";
}
