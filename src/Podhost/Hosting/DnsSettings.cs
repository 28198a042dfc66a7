using System.Net;
using System.Text.Json.Nodes;
using Podhost.ApiServer.Admission.Plugins;
using Podhost.Configuration;
using Podhost.Network.Dns.Cluster;

namespace Podhost.Hosting;

/// <summary>Which nameservers pods get, and whether we are it.</summary>
internal static class DnsSettings
{
    private const int MaxDeviceName = 15;
    private const string DeviceSuffix = "-dns";

    /// <summary>The configured nameservers: the flag, else clusterDNS of the KubeletConfiguration; null: none are configured.</summary>
    /// <exception cref="ConfigurationException">An address is none.</exception>
    public static IReadOnlyList<string>? Configured(PodhostOptions options)
    {
        if (options.ClusterDns is { } given)
        {
            return [.. given.Select(a => a.ToString())];
        }

        const string field = "clusterDNS";
        return options.Kubelet?[field] switch
        {
            null => null,
            JsonArray list => [.. list.Select(n => OptionParsing.Address($"KubeletConfiguration: {field}", n?.ToString() ?? "").ToString())],
            _ => throw new ConfigurationException($"KubeletConfiguration: {field}: Invalid value: must be a list of addresses"),
        };
    }

    /// <summary>The nameservers of an instance of its own: the configured ones, else its own server.</summary>
    public static IReadOnlyList<string> Nameservers(PodhostOptions options) => Configured(options) ?? [OwnAddresses(options)[0].ToString()];

    /// <summary>The node's resolver configuration: resolvConf of the KubeletConfiguration.</summary>
    public static string ResolvConf(PodhostOptions options) => options.Kubelet?["resolvConf"] switch
    {
        null => "/etc/resolv.conf",
        JsonValue value when value.TryGetValue<string>(out var path) => path,
        _ => throw new ConfigurationException("KubeletConfiguration: resolvConf: Invalid value: must be a string"),
    };

    /// <summary>The server of an instance of its own; it serves where no other nameserver is configured.</summary>
    public static ClusterDnsOptions ServerOf(PodhostOptions options, IReadOnlyList<IPAddress> nodeAddresses) => new()
    {
        IsServed = Configured(options) is null,
        Addresses = OwnAddresses(options),
        Device = OwnDevice(options) ?? options.Bridge,
        OwnsDevice = OwnDevice(options) is not null,
        ServerAddresses = [.. Ranges(options).Select(range => OwnDevice(options) is null ? Gateway(options, range) : range.DnsServerAddress)],
        HoldsAddress = options.ServiceProxy == false,
        Clients =
        [
            .. options.ClusterCidrs ?? options.PodCidrs, IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("::1/128"),
            .. nodeAddresses.Select(a => new IPNetwork(a, a.GetAddressBytes().Length * 8)),
        ],
        OwnRanges = [.. options.ClusterCidrs ?? options.PodCidrs, .. options.ServiceCidrs],
        Domain = options.ClusterDomain,
        ResolvConf = ResolvConf(options),
    };

    /// <summary>The device that carries the server's address where the pod network is CNI's or another runtime's; null: our bridge does.</summary>
    public static string? OwnDevice(PodhostOptions options) => options.ContainerRuntimeEndpoint is null && options.CniConfDir is null
        ? null
        : options.Bridge[..Math.Min(options.Bridge.Length, MaxDeviceName - DeviceSuffix.Length)] + DeviceSuffix;

    private static List<IPAddress> OwnAddresses(PodhostOptions options) => [.. Ranges(options).Select(range => range.ClusterDnsAddress)];

    private static IEnumerable<ServiceRange> Ranges(PodhostOptions options) => options.ServiceCidrs.Select(range => new ServiceRange(range));

    // The bridge's of the same family: the options' rules see to it that there is one.
    private static IPAddress Gateway(PodhostOptions options, ServiceRange range) =>
        NodeAddress.Gateway(options.PodCidrs.First(pods => pods.BaseAddress.AddressFamily == range.Network.BaseAddress.AddressFamily));
}
