using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Podhost.Linux.Native;

namespace Podhost.Linux.Netlink;

/// <summary>The kernel's connection tracking.</summary>
public interface IConntrack
{
    /// <summary>All flows of a protocol; empty where nothing is tracked.</summary>
    /// <param name="protocol">The IP protocol.</param>
    /// <param name="family">IPv4 or IPv6.</param>
    IReadOnlyList<ConnectionFlow> List(byte protocol, AddressFamily family);

    /// <summary>Forgets a flow: its next packet is routed anew. Idempotent: one that is gone is no error.</summary>
    /// <param name="flow">The flow.</param>
    void Delete(ConnectionFlow flow);
}

/// <summary>Connection tracking over ctnetlink (linux/netfilter/nfnetlink_conntrack.h). All calls are synchronous.</summary>
public sealed class ConntrackNetlink : IConntrack
{
    private const ushort Get = 0x0101;
    private const ushort DeleteType = 0x0102;
    private const ushort New = 0x0100;
    private const ushort Request = 1;
    private const ushort Acknowledge = 4;
    private const ushort Dump = 0x300;
    private const byte Inet = 2;
    private const byte Inet6 = 10;

    private const ushort TupleOriginal = 1;
    private const ushort TupleReply = 2;
    private const ushort TupleAddresses = 1;
    private const ushort TupleProtocol = 2;
    private const ushort SourceIPv4 = 1;
    private const ushort DestinationIPv4 = 2;
    private const ushort SourceIPv6 = 3;
    private const ushort DestinationIPv6 = 4;
    private const ushort Number = 1;
    private const ushort SourcePort = 2;
    private const ushort DestinationPort = 3;

    /// <inheritdoc/>
    public IReadOnlyList<ConnectionFlow> List(byte protocol, AddressFamily family)
    {
        var flows = new List<ConnectionFlow>();
        using var socket = NetlinkSocket.OpenNetfilter();
        socket.Exchange(new NetlinkMessage(Get, Request | Dump).Fixed(Header(family)), "list connections", (type, payload) =>
        {
            if (type == New && Parse(payload) is { } flow && flow.Protocol == protocol)
            {
                flows.Add(flow);
            }
        });
        return flows;
    }

    /// <inheritdoc/>
    public void Delete(ConnectionFlow flow)
    {
        ArgumentNullException.ThrowIfNull(flow);
        var family = flow.Original.Source.AddressFamily;
        var (source, destination) = family == AddressFamily.InterNetworkV6 ? (SourceIPv6, DestinationIPv6) : (SourceIPv4, DestinationIPv4);
        var message = new NetlinkMessage(DeleteType, Request | Acknowledge).Fixed(Header(family)).Nest(TupleOriginal, tuple =>
        {
            tuple.Nest(TupleAddresses, a => a.Attribute(source, flow.Original.Source).Attribute(destination, flow.Original.Destination));
            tuple.Nest(TupleProtocol, p => p.Attribute(Number, flow.Protocol)
                .Attribute(SourcePort, Port(flow.Original.SourcePort)).Attribute(DestinationPort, Port(flow.Original.DestinationPort)));
        });
        using var socket = NetlinkSocket.OpenNetfilter();
        try
        {
            socket.Execute(message, "forget a connection");
        }
        catch (LinuxException failure) when (failure.Errno == Errno.ENOENT)
        {
            // It timed out meanwhile.
        }
    }

    /// <summary>Reads an entry; null for one without ports.</summary>
    internal static ConnectionFlow? Parse(ReadOnlySpan<byte> payload)
    {
        (byte Protocol, FlowDirection Way)? original = null, reply = null;
        foreach (var (type, value) in NetlinkAttributes.Read(payload[4..]))
        {
            original = type == TupleOriginal ? Direction(value) : original;
            reply = type == TupleReply ? Direction(value) : reply;
        }

        return original is { } there && reply is { } back ? new ConnectionFlow(there.Protocol, there.Way, back.Way) : null;
    }

    private static (byte Protocol, FlowDirection Way)? Direction(byte[] tuple)
    {
        var parts = NetlinkAttributes.Read(tuple);
        var addresses = NetlinkAttributes.Read(Value(parts, TupleAddresses));
        var protocol = NetlinkAttributes.Read(Value(parts, TupleProtocol));
        var (source, destination) = (Address(addresses, SourceIPv4, SourceIPv6), Address(addresses, DestinationIPv4, DestinationIPv6));
        var (from, to) = (Value(protocol, SourcePort), Value(protocol, DestinationPort));
        return source.Length is 4 or 16 && destination.Length == source.Length && from.Length == 2 && to.Length == 2
            ? (Value(protocol, Number)[0], new FlowDirection(
                new IPAddress(source), BinaryPrimitives.ReadUInt16BigEndian(from), new IPAddress(destination), BinaryPrimitives.ReadUInt16BigEndian(to)))
            : null;
    }

    private static byte[] Value(List<(ushort Type, byte[] Value)> attributes, ushort type) => attributes.Find(a => a.Type == type).Value ?? [];

    private static byte[] Address(List<(ushort Type, byte[] Value)> attributes, ushort ipv4, ushort ipv6) =>
        Value(attributes, ipv4) is { Length: > 0 } four ? four : Value(attributes, ipv6);

    private static byte[] Port(int port) => [(byte)(port >> 8), (byte)port];

    // struct nfgenmsg: family, version 0, resource 0
    private static byte[] Header(AddressFamily family) => [family == AddressFamily.InterNetworkV6 ? Inet6 : Inet, 0, 0, 0];
}
