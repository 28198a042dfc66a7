using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Podhost.Configuration;

namespace Podhost.Hosting;

/// <summary>The address by which pods and clients reach the node.</summary>
internal static class NodeAddress
{
    /// <summary>The configured one; else the first IPv4 address of an interface with a gateway; else of any interface that is up; else loopback.</summary>
    public static IPAddress Of(PodhostOptions options)
    {
        if (options.NodeIP is { } configured)
        {
            return configured;
        }

        var interfaces = NetworkInterface.GetAllNetworkInterfaces()
            .Where(i => i.OperationalStatus == OperationalStatus.Up && i.NetworkInterfaceType != NetworkInterfaceType.Loopback && i.Name != options.Bridge)
            .Select(i => i.GetIPProperties())
            .OrderByDescending(p => p.GatewayAddresses.Count > 0);
        return interfaces
            .SelectMany(p => p.UnicastAddresses)
            .Select(a => a.Address)
            .FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork && !options.PodCidr.Contains(a))
            ?? IPAddress.Loopback;
    }
}
