using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Podhost.Configuration;

namespace Podhost.Hosting;

/// <summary>The addresses by which pods and clients reach the node.</summary>
internal static class NodeAddress
{
    /// <summary>The first of <see cref="All"/>.</summary>
    public static IPAddress Of(PodhostOptions options) => All(options)[0];

    /// <summary>
    /// The configured ones; else one of each family that pods have, in its order: of an interface with a gateway, else of any interface that is up. Where the
    /// machine has no address of IPv6, pods reach the node by the bridge's. Without any address it is loopback.
    /// </summary>
    public static IReadOnlyList<IPAddress> All(PodhostOptions options)
    {
        if (options.NodeIPs is { } configured)
        {
            return configured;
        }

        var present = Present(options);
        var found = options.PodCidrs
            .Select(range => present.FirstOrDefault(a => a.AddressFamily == range.BaseAddress.AddressFamily) ?? OfBridge(options, range))
            .OfType<IPAddress>()
            .ToList();
        return found.Count > 0 ? found : [IPAddress.Loopback];
    }

    /// <summary>The address of a family, where the node has one; else its first one.</summary>
    public static IPAddress OfFamily(IReadOnlyList<IPAddress> addresses, AddressFamily family) => addresses.FirstOrDefault(a => a.AddressFamily == family) ?? addresses[0];

    /// <summary>The address that the built-in network gives the bridge: the first of a range.</summary>
    public static IPAddress Gateway(IPNetwork range)
    {
        var bytes = range.BaseAddress.GetAddressBytes();
        bytes[^1]++;
        return new IPAddress(bytes);
    }

    private static List<IPAddress> Present(PodhostOptions options) =>
    [
        .. NetworkInterface.GetAllNetworkInterfaces()
            .Where(i => i.OperationalStatus == OperationalStatus.Up && i.NetworkInterfaceType != NetworkInterfaceType.Loopback && i.Name != options.Bridge)
            .Select(i => i.GetIPProperties())
            .OrderByDescending(p => p.GatewayAddresses.Count > 0)
            .SelectMany(p => p.UnicastAddresses)
            .Select(a => a.Address)
            .Where(a => !a.IsIPv6LinkLocal && !options.PodCidrs.Any(range => range.Contains(a))),
    ];

    // Other nodes cannot reach it: only for a node on its own.
    private static IPAddress? OfBridge(PodhostOptions options, IPNetwork range) =>
        range.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6 && options is { AllocateNodeCidrs: false, PodCidrFromNode: false, ContainerRuntimeEndpoint: null, CniConfDir: null }
            ? Gateway(range)
            : null;
}
