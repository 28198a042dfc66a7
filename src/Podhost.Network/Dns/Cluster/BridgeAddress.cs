using System.Net;
using Podhost.Linux.Netlink;

namespace Podhost.Network.Dns.Cluster;

/// <summary>
/// Addresses of the server on a bridge: on the pod network's, where no Service data plane leads to the server, and on one of our own, where the pod
/// network is somebody else's. They go with the bridge.
/// </summary>
internal static class BridgeAddress
{
    private static readonly byte[] EmptyBridge = [0x0a, 0x58, 0, 0, 0, 0];

    /// <summary>Gives a bridge an address. Idempotent; false where there is no bridge yet.</summary>
    /// <param name="bridge">Name of the bridge.</param>
    /// <param name="address">The address.</param>
    /// <param name="create">Make the bridge where it is missing: it has no ports, and only carries the address.</param>
    public static bool TryAdd(string bridge, IPAddress address, bool create)
    {
        using var socket = NetlinkSocket.Open();
        var netlink = new RouteNetlink(socket);
        if (netlink.FindLink(bridge) is null && create)
        {
            netlink.CreateBridge(bridge, [.. EmptyBridge[..2], .. address.GetAddressBytes()[^4..]]);
        }

        if (netlink.FindLink(bridge) is not { } link)
        {
            return false;
        }

        netlink.SetUp(link.Index);
        netlink.AddAddress(link.Index, address, WholeLength(address));
        return true;
    }

    private static int WholeLength(IPAddress address) => address.GetAddressBytes().Length * 8;

    /// <summary>Takes the address away. Idempotent.</summary>
    /// <param name="bridge">Name of the bridge.</param>
    /// <param name="address">The address.</param>
    public static void Remove(string bridge, IPAddress address)
    {
        using var socket = NetlinkSocket.Open();
        var netlink = new RouteNetlink(socket);
        if (netlink.FindLink(bridge) is { } link)
        {
            netlink.DeleteAddress(link.Index, address, WholeLength(address));
        }
    }
}
