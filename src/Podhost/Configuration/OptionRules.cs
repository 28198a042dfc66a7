using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Podhost.Configuration;

/// <summary>The rules that options must keep, checked before anything is started.</summary>
internal static partial class OptionRules
{
    private const int MaxInterfaceName = 15;
    private static readonly string[] LogLevels = ["trace", "debug", "information", "warning", "error"];

    public static PodhostOptions Check(PodhostOptions o)
    {
        Require(NodeNamePattern().IsMatch(o.NodeName) && o.NodeName.Length <= 253, "--node-name", o.NodeName, "must be a lowercase RFC 1123 subdomain");
        Require(o.SecurePort is >= 1 and <= 65535, "--secure-port", $"{o.SecurePort}", "must be between 1 and 65535, inclusive");
        Require(o.KubeletPort is >= 0 and <= 65535, "--kubelet-port", $"{o.KubeletPort}", "must be between 0 and 65535, inclusive");
        Require(BridgePattern().IsMatch(o.Bridge) && o.Bridge.Length <= MaxInterfaceName, "--bridge", o.Bridge, "must be a device name of at most 15 letters, digits, '-', '_' or '.'");
        CheckRanges(o);
        Require(!o.PodCidrFromNode || (o.ContainerRuntimeEndpoint is null && o.CniConfDir is null), "--pod-cidr-from-node", "true", "must not be given with --container-runtime-endpoint or --cni-conf-dir: only the built-in network takes a range");
        Require(!(o.AllocateNodeCidrs && o.PodCidrFromNode), "--pod-cidr-from-node", "true", "must not be given with --allocate-node-cidrs: a control plane gives ranges, a node that joins takes one");
        Require(o.DataDir != o.RunDir, "--run-dir", o.RunDir, "must differ from --data-dir");
        Require(o.CriSocket?.StartsWith('/') ?? true, "--cri-socket", $"{o.CriSocket}", "must be unix:///PATH or an absolute path");
        Require(o.CriSocket is null || o.ContainerRuntimeEndpoint is null, "--cri-socket", $"{o.CriSocket}", "must not be given with --container-runtime-endpoint: the other runtime serves its own socket");
        Require(o.CniConfDir is null || o.ContainerRuntimeEndpoint is null, "--cni-conf-dir", $"{o.CniConfDir}", "must not be given with --container-runtime-endpoint: the other runtime has its own network");
        Require(o.NodeMonitorGracePeriod > TimeSpan.Zero, "--node-monitor-grace-period", $"{o.NodeMonitorGracePeriod}", "must be greater than zero");
        Require(LogLevels.Contains(o.LogLevel), "--log-level", o.LogLevel, $"supported values: {string.Join(", ", LogLevels)}");
        return o;
    }

    private static void CheckRanges(PodhostOptions o)
    {
        var (pods, services) = (string.Join(',', o.PodCidrs), string.Join(',', o.ServiceCidrs));
        RequireFamilies("--pod-cidr", pods, o.PodCidrs.Select(r => r.BaseAddress));
        RequireFamilies("--service-cidr", services, o.ServiceCidrs.Select(r => r.BaseAddress));
        RequireFamilies("--node-ip", string.Join(',', o.NodeIPs ?? []), o.NodeIPs ?? []);
        foreach (var range in o.PodCidrs)
        {
            Require(IsIPv6(range) ? range.PrefixLength is >= 32 and <= 123 : range.PrefixLength is >= 8 and <= 29, "--pod-cidr", $"{range}", "must be an IPv4 range between /8 and /29 or an IPv6 range between /32 and /123");
            var (mask, name, longest) = IsIPv6(range) ? (o.NodeCidrMaskSizeIPv6, "--node-cidr-mask-size-ipv6", 123) : (o.NodeCidrMaskSize, "--node-cidr-mask-size", 29);
            Require(!o.AllocateNodeCidrs || (mask >= range.PrefixLength && mask <= longest), name, $"{mask}", $"must be between the prefix of --pod-cidr {range} and {longest}");
        }

        foreach (var range in o.ServiceCidrs)
        {
            Require(IsIPv6(range) ? range.PrefixLength is >= 64 and <= 124 : range.PrefixLength is >= 8 and <= 28, "--service-cidr", $"{range}", "must be an IPv4 range between /8 and /28 or an IPv6 range between /64 and /124");
            Require(o.PodCidrs.Any(p => IsIPv6(p) == IsIPv6(range)), "--service-cidr", $"{range}", $"must be of a family of --pod-cidr {pods}");
            Require(!o.PodCidrs.Any(p => p.Contains(range.BaseAddress) || range.Contains(p.BaseAddress)), "--service-cidr", $"{range}", $"must not overlap with --pod-cidr {pods}");
        }

        Require(Socket.OSSupportsIPv6 || !o.PodCidrs.Any(IsIPv6), "--pod-cidr", pods, "this machine has no IPv6");
    }

    private static void RequireFamilies(string option, string value, IEnumerable<IPAddress> addresses) => Require(
        addresses.GroupBy(a => a.AddressFamily).All(g => g.Count() == 1), option, value, "must have at most one of each address family, separated by a comma");

    private static bool IsIPv6(IPNetwork range) => range.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6;

    private static void Require(bool holds, string option, string value, string rule)
    {
        if (!holds)
        {
            throw new ConfigurationException($"{option}: Invalid value: \"{value}\": {rule}");
        }
    }

    [GeneratedRegex(@"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z")]
    private static partial Regex NodeNamePattern();

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9_.-]*\z")]
    private static partial Regex BridgePattern();
}
