using System.Net;
using Podhost.Linux.Netlink;

namespace Podhost.Network.Dns.Cluster;

/// <summary>
/// The addresses of the server on the pod network's bridge: the bridge's own, and the cluster DNS address as one more. With it there, pods reach
/// the server at the address of the Service whether or not a Service data plane is in between, and it goes with the bridge.
/// </summary>
internal static class ServerAddresses
{
    private static readonly byte[] EmptyBridge = [0x0a, 0x58, 0, 0, 0, 0];

    /// <summary>Gives the bridge the address. Idempotent; false where there is no bridge yet.</summary>
    /// <param name="bridge">Name of the bridge.</param>
    /// <param name="address">The cluster DNS address.</param>
    /// <param name="create">Make the bridge where it is missing: with another runtime it has no pods, and only carries the address.</param>
    public static bool TryAdd(string bridge, IPAddress address, bool create)
    {
        using var socket = NetlinkSocket.Open();
        var netlink = new RouteNetlink(socket);
        if (netlink.FindLink(bridge) is null && create)
        {
            netlink.CreateBridge(bridge, [.. EmptyBridge[..2], .. address.GetAddressBytes()]);
        }

        if (netlink.FindLink(bridge) is not { } link)
        {
            return false;
        }

        netlink.AddAddress(link.Index, address, 32);
        netlink.SetUp(link.Index);
        return true;
    }

    /// <summary>Takes the address away. Idempotent.</summary>
    /// <param name="bridge">Name of the bridge.</param>
    /// <param name="address">The address.</param>
    public static void Remove(string bridge, IPAddress address)
    {
        using var socket = NetlinkSocket.Open();
        var netlink = new RouteNetlink(socket);
        if (netlink.FindLink(bridge) is { } link)
        {
            netlink.DeleteAddress(link.Index, address, 32);
        }
    }
}
