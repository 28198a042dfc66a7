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
    public static IReadOnlyList<string> Nameservers(PodhostOptions options) => Configured(options) ?? [OwnAddress(options).ToString()];

    /// <summary>The node's resolver configuration: resolvConf of the KubeletConfiguration.</summary>
    public static string ResolvConf(PodhostOptions options) => options.Kubelet?["resolvConf"] switch
    {
        null => "/etc/resolv.conf",
        JsonValue value when value.TryGetValue<string>(out var path) => path,
        _ => throw new ConfigurationException("KubeletConfiguration: resolvConf: Invalid value: must be a string"),
    };

    /// <summary>The server of an instance of its own; it serves where no other nameserver is configured.</summary>
    public static ClusterDnsOptions ServerOf(PodhostOptions options, IPAddress nodeAddress) => new()
    {
        IsServed = Configured(options) is null,
        Address = OwnAddress(options),
        Device = OwnDevice(options) ?? options.Bridge,
        OwnsDevice = OwnDevice(options) is not null,
        ServerAddress = OwnDevice(options) is null ? Gateway(options.PodCidr) : new ServiceAddressesPlugin(options.ServiceCidr).DnsServerAddress,
        HoldsAddress = options.ServiceProxy == false,
        Clients = [options.ClusterCidr ?? options.PodCidr, IPNetwork.Parse("127.0.0.0/8"), new IPNetwork(nodeAddress, nodeAddress.GetAddressBytes().Length * 8)],
        OwnRanges = [options.ClusterCidr ?? options.PodCidr, options.ServiceCidr],
        Domain = options.ClusterDomain,
        ResolvConf = ResolvConf(options),
    };

    /// <summary>The device that carries the server's address where the pod network is CNI's or another runtime's; null: our bridge does.</summary>
    public static string? OwnDevice(PodhostOptions options) => options.ContainerRuntimeEndpoint is null && options.CniConfDir is null
        ? null
        : options.Bridge[..Math.Min(options.Bridge.Length, MaxDeviceName - DeviceSuffix.Length)] + DeviceSuffix;

    private static IPAddress OwnAddress(PodhostOptions options) => new ServiceAddressesPlugin(options.ServiceCidr).ClusterDnsAddress;

    // The built-in network gives the bridge the first address of the range.
    private static IPAddress Gateway(IPNetwork range)
    {
        var bytes = range.BaseAddress.GetAddressBytes();
        bytes[^1]++;
        return new IPAddress(bytes);
    }
}
