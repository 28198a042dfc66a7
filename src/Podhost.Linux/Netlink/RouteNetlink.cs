using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using Podhost.Linux.Native;

namespace Podhost.Linux.Netlink;

/// <summary>Interfaces, addresses and routes of the namespace that a socket belongs to (rtnetlink(7)). All calls are synchronous and short.</summary>
/// <param name="socket">The socket.</param>
public sealed class RouteNetlink(NetlinkSocket socket)
{
    private const ushort NewLink = 16;
    private const ushort DeleteLinkType = 17;
    private const ushort GetLink = 18;
    private const ushort SetLink = 19;
    private const ushort NewAddress = 20;
    private const ushort DeleteAddressType = 21;
    private const ushort NewRoute = 24;
    private const ushort DeleteRouteType = 25;

    // Who made a route (rtm_protocol), of the numbers that the kernel gives no meaning and no routing daemon has.
    private const byte RouteOwner = 85;
    private const ushort Request = 1;
    private const ushort Acknowledge = 4;
    private const ushort Dump = 0x300;
    private const ushort Exclusive = 0x200;
    private const ushort Create = 0x400;
    private const ushort Replace = 0x100;
    private const uint InterfaceUp = 1;
    private const byte BridgeFamily = 7;

    private const ushort LinkHardwareAddress = 1;
    private const ushort LinkName = 3;
    private const ushort LinkMtu = 4;
    private const ushort LinkMaster = 10;
    private const ushort LinkProtocolInfo = 12;
    private const ushort LinkInfo = 18;
    private const ushort LinkNamespace = 28;
    private const ushort InfoKind = 1;
    private const ushort InfoData = 2;
    private const ushort VethPeer = 1;
    private const ushort BridgePortMode = 4;

    /// <summary>The interface of a name; null when there is none.</summary>
    /// <param name="name">The name.</param>
    public NetworkLink? FindLink(string name)
    {
        NetworkLink? found = null;
        var message = new NetlinkMessage(GetLink, Request | Acknowledge).Fixed(Link(0, 0, 0)).Attribute(LinkName, name);
        try
        {
            socket.Exchange(message, $"look for interface {name}", (type, payload) => found = type == NewLink ? NetworkLink.Parse(payload) : found);
        }
        catch (LinuxException failure) when (failure.Errno == Errno.ENODEV)
        {
            return null;
        }

        return found;
    }

    /// <summary>All interfaces.</summary>
    public IReadOnlyList<NetworkLink> Links()
    {
        var links = new List<NetworkLink>();
        socket.Exchange(new NetlinkMessage(GetLink, Request | Dump).Fixed(Link(0, 0, 0)), "list interfaces", (type, payload) =>
        {
            if (type == NewLink)
            {
                links.Add(NetworkLink.Parse(payload));
            }
        });
        return links;
    }

    /// <summary>Creates a bridge that is up. Fails with EEXIST where the name is taken.</summary>
    /// <param name="name">The name, at most 15 bytes.</param>
    /// <param name="hardwareAddress">Its MAC address: a bridge without a fixed one changes it with its ports.</param>
    public void CreateBridge(string name, ReadOnlySpan<byte> hardwareAddress) => socket.Execute(
        NewLinkMessage(InterfaceUp).Attribute(LinkName, name).Attribute(LinkHardwareAddress, hardwareAddress)
            .Nest(LinkInfo, info => info.Attribute(InfoKind, "bridge")),
        $"create bridge {name}");

    /// <summary>Creates a veth pair: one end here, up and a bridge's port, the other in another namespace.</summary>
    /// <param name="request">The pair.</param>
    public void CreateVeth(VethRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var message = NewLinkMessage(InterfaceUp).Attribute(LinkName, request.Name).Attribute(LinkMaster, (uint)request.Master);
        AddMtu(message, request.Mtu);
        message.Nest(LinkInfo, info => info.Attribute(InfoKind, "veth").Nest(InfoData, data => data.Nest(VethPeer, peer =>
        {
            peer.Fixed(Link(0, 0, 0)).Attribute(LinkName, request.PeerName)
                .Attribute(LinkNamespace, (uint)Descriptors.Number(request.PeerNamespace))
                .Attribute(LinkHardwareAddress, request.PeerHardwareAddress);
            AddMtu(peer, request.Mtu);
        })));
        socket.Execute(message, $"create veth pair {request.Name}");
    }

    /// <summary>Removes an interface (a veth's other end goes with it). Idempotent: an absent one is no error.</summary>
    /// <param name="name">The name.</param>
    public void DeleteLink(string name)
    {
        try
        {
            socket.Execute(
                new NetlinkMessage(DeleteLinkType, Request | Acknowledge).Fixed(Link(0, 0, 0)).Attribute(LinkName, name), $"remove interface {name}");
        }
        catch (LinuxException failure) when (failure.Errno == Errno.ENODEV)
        {
            // Gone already.
        }
    }

    /// <summary>Sets an interface up.</summary>
    /// <param name="index">The interface's number.</param>
    public void SetUp(int index) => socket.Execute(
        new NetlinkMessage(NewLink, Request | Acknowledge).Fixed(Link(index, InterfaceUp, InterfaceUp)), $"set interface {index} up");

    /// <summary>Lets a bridge send a frame back out of the port it came from, so that a pod reaches itself by an address of the host.</summary>
    /// <param name="index">The port's number.</param>
    public void SetHairpin(int index)
    {
        var header = Link(index, 0, 0);
        header[0] = BridgeFamily;
        socket.Execute(
            new NetlinkMessage(SetLink, Request | Acknowledge).Fixed(header).Nest(LinkProtocolInfo, port => port.Attribute(BridgePortMode, (byte)1)),
            $"set hairpin on interface {index}");
    }

    /// <summary>Gives an interface an address. Idempotent.</summary>
    /// <param name="index">The interface's number.</param>
    /// <param name="address">The address.</param>
    /// <param name="prefixLength">The length of its network's prefix.</param>
    public void AddAddress(int index, IPAddress address, int prefixLength)
    {
        ArgumentNullException.ThrowIfNull(address);
        var header = new byte[8];
        (header[0], header[1]) = (Family(address), (byte)prefixLength);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(4), index);
        var message = new NetlinkMessage(NewAddress, Request | Acknowledge | Create | Replace).Fixed(header)
            .Attribute(2, address).Attribute(1, address);
        if (address.AddressFamily == AddressFamily.InterNetwork && prefixLength < 31)
        {
            message.Attribute(4, Broadcast(address, prefixLength));
        }
        else if (address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            message.Attribute(8, 0x02u); // IFA_F_NODAD: the address was assigned, nobody else has it.
        }

        socket.Execute(message, $"add address {address}/{prefixLength}");
    }

    /// <summary>Takes an address from an interface. Idempotent: an absent one is no error.</summary>
    /// <param name="index">The interface's number.</param>
    /// <param name="address">The address.</param>
    /// <param name="prefixLength">The length of its network's prefix.</param>
    public void DeleteAddress(int index, IPAddress address, int prefixLength)
    {
        ArgumentNullException.ThrowIfNull(address);
        var header = new byte[8];
        (header[0], header[1]) = (Family(address), (byte)prefixLength);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(4), index);
        try
        {
            socket.Execute(new NetlinkMessage(DeleteAddressType, Request | Acknowledge).Fixed(header).Attribute(2, address), $"remove address {address}");
        }
        catch (LinuxException failure) when (failure.Errno == Errno.EADDRNOTAVAIL)
        {
            // Gone already.
        }
    }

    /// <summary>Sets the default route. Idempotent.</summary>
    /// <param name="gateway">The next hop.</param>
    /// <param name="index">The interface's number.</param>
    public void AddDefaultRoute(IPAddress gateway, int index)
    {
        ArgumentNullException.ThrowIfNull(gateway);
        // family, lengths 0, main table (254), protocol boot (3), universe (0), unicast (1)
        byte[] header = [Family(gateway), 0, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0];
        socket.Execute(
            new NetlinkMessage(NewRoute, Request | Acknowledge | Create | Replace).Fixed(header).Attribute(5, gateway).Attribute(4, (uint)index),
            $"add the default route by {gateway}");
    }

    /// <summary>Sets the route to a range by a neighbour. Idempotent; another route to the range is replaced.</summary>
    /// <param name="range">Where to.</param>
    /// <param name="gateway">The next hop, which must be on a network of this machine's interfaces.</param>
    public void SetRoute(IPNetwork range, IPAddress gateway)
    {
        ArgumentNullException.ThrowIfNull(gateway);
        socket.Execute(
            new NetlinkMessage(NewRoute, Request | Acknowledge | Create | Replace).Fixed(Route(range)).Attribute(1, range.BaseAddress).Attribute(5, gateway),
            $"add a route to {range} by {gateway}");
    }

    /// <summary>Removes a route that <see cref="SetRoute"/> made. Idempotent: an absent one is no error; somebody else's stays.</summary>
    /// <param name="range">Where to.</param>
    public void DeleteRoute(IPNetwork range)
    {
        try
        {
            socket.Execute(new NetlinkMessage(DeleteRouteType, Request | Acknowledge).Fixed(Route(range)).Attribute(1, range.BaseAddress), $"remove the route to {range}");
        }
        catch (LinuxException failure) when (failure.Errno == Errno.ESRCH)
        {
            // Gone already.
        }
    }

    // struct rtmsg: main table (254), universe (0), unicast (1)
    private static byte[] Route(IPNetwork range) => [Family(range.BaseAddress), (byte)range.PrefixLength, 0, 0, 254, RouteOwner, 0, 1, 0, 0, 0, 0];

    private static NetlinkMessage NewLinkMessage(uint flags) =>
        new NetlinkMessage(NewLink, Request | Acknowledge | Create | Exclusive).Fixed(Link(0, flags, flags));

    private static void AddMtu(NetlinkMessage message, int mtu)
    {
        if (mtu > 0)
        {
            message.Attribute(LinkMtu, (uint)mtu);
        }
    }

    // struct ifinfomsg
    private static byte[] Link(int index, uint flags, uint change)
    {
        var bytes = new byte[16];
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), index);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), flags);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), change);
        return bytes;
    }

    private static byte Family(IPAddress address) => (byte)(address.AddressFamily == AddressFamily.InterNetwork ? 2 : 10);

    private static IPAddress Broadcast(IPAddress address, int prefixLength)
    {
        var value = BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes()) | (prefixLength == 0 ? uint.MaxValue : uint.MaxValue >> prefixLength);
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, prefixLength >= 32 ? BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes()) : value);
        return new IPAddress(bytes);
    }
}

/// <summary>A veth pair to create.</summary>
/// <param name="Name">The name of this end.</param>
/// <param name="Master">The number of the bridge that this end becomes a port of.</param>
/// <param name="PeerName">The name of the other end.</param>
/// <param name="PeerNamespace">The namespace of the other end.</param>
/// <param name="PeerHardwareAddress">The MAC address of the other end.</param>
/// <param name="Mtu">The MTU of both; 0 for the kernel's choice.</param>
public sealed record VethRequest(string Name, int Master, string PeerName, SafeFileHandle PeerNamespace, byte[] PeerHardwareAddress, int Mtu);
