using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Podhost.Network.Dns.Wire;

namespace Podhost.Network.Dns.Upstream;

/// <summary>
/// One question to one nameserver. Number and source port are random, each for one question; an answer counts only with that number, from that
/// nameserver and with that question. Source: RFC 5452.
/// </summary>
internal static class Exchange
{
    private const int LargestDatagram = 4096;

    /// <summary>Asks by UDP, and again by TCP where the answer was truncated.</summary>
    /// <exception cref="SocketException">Nobody is there.</exception>
    public static async Task<DnsAnswer> AskAsync(IPEndPoint server, DnsQuery query, bool tcp, CancellationToken cancellationToken)
    {
        if (!tcp)
        {
            var answer = await AskUdpAsync(server, Numbered(query), cancellationToken);
            if (!answer.Flags.HasFlag(DnsFlags.Truncated))
            {
                return answer;
            }
        }

        return await AskTcpAsync(server, Numbered(query), cancellationToken);
    }

    private static DnsQuery Numbered(DnsQuery query) => query with { Id = (ushort)RandomNumberGenerator.GetInt32(ushort.MaxValue + 1) };

    private static async Task<DnsAnswer> AskUdpAsync(IPEndPoint server, DnsQuery query, CancellationToken cancellationToken)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(server, cancellationToken);
        await socket.SendAsync(MessageWriter.Query(query), cancellationToken);
        var buffer = new byte[LargestDatagram];
        while (true)
        {
            var count = await socket.ReceiveAsync(buffer, cancellationToken);
            if (Matching(buffer.AsSpan(0, count), query) is { } answer)
            {
                return answer;
            }
        }
    }

    private static async Task<DnsAnswer> AskTcpAsync(IPEndPoint server, DnsQuery query, CancellationToken cancellationToken)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server, cancellationToken);
        await using var stream = new NetworkStream(socket);
        await TcpFrame.WriteAsync(stream, MessageWriter.Query(query), cancellationToken);
        var message = await TcpFrame.ReadAsync(stream, cancellationToken) ?? throw new SocketException((int)SocketError.ConnectionReset);
        return Matching(message, query) ?? throw new SocketException((int)SocketError.ConnectionAborted);
    }

    private static DnsAnswer? Matching(ReadOnlySpan<byte> message, DnsQuery query) =>
        MessageReader.ReadAnswer(message) is { } answer && answer.Id == query.Id && answer.Question == query.Question ? answer : null;
}

/// <summary>Messages over TCP: each after its length in two bytes. Source: RFC 1035 4.2.2.</summary>
internal static class TcpFrame
{
    /// <summary>Reads a message; null at the end.</summary>
    public static async Task<byte[]?> ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        var length = new byte[2];
        if (await stream.ReadAtLeastAsync(length, length.Length, throwOnEndOfStream: false, cancellationToken) < length.Length)
        {
            return null;
        }

        var message = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
        return await stream.ReadAtLeastAsync(message, message.Length, throwOnEndOfStream: false, cancellationToken) < message.Length ? null : message;
    }

    /// <summary>Writes a message in one piece.</summary>
    public static async Task WriteAsync(Stream stream, byte[] message, CancellationToken cancellationToken)
    {
        var frame = new byte[message.Length + 2];
        BinaryPrimitives.WriteUInt16BigEndian(frame, (ushort)message.Length);
        message.CopyTo(frame.AsSpan(2));
        await stream.WriteAsync(frame, cancellationToken);
    }
}
