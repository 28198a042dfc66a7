using System.Net;
using System.Net.Sockets;

namespace Podhost.Integration.Tests.Dns;

/// <summary>A nameserver outside the cluster: every name has one address. It knows no more of DNS than that.</summary>
internal sealed class OutsideServer : IDisposable
{
    private readonly UdpClient _socket;

    public OutsideServer(IPAddress address)
    {
        _socket = new UdpClient(new IPEndPoint(address, 53));
        _ = Task.Run(ServeAsync);
    }

    /// <summary>The address of every name.</summary>
    public static IPAddress Answer { get; } = IPAddress.Parse("192.0.2.77");

    public void Dispose() => _socket.Dispose();

    private async Task ServeAsync()
    {
        while (true)
        {
            var query = await _socket.ReceiveAsync();
            await _socket.SendAsync(Reply(query.Buffer), query.RemoteEndPoint);
        }
    }

    // The question ends with its type and class after the name's zero.
    private static byte[] Reply(byte[] query)
    {
        var end = Array.IndexOf(query, (byte)0, 12) + 5;
        var isAddress = query[end - 3] == 1;
        byte[] header = [query[0], query[1], 0x81, 0x80, 0, 1, 0, (byte)(isAddress ? 1 : 0), 0, 0, 0, 0];
        byte[] record = isAddress ? [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, .. Answer.GetAddressBytes()] : [];
        return [.. header, .. query[12..end], .. record];
    }
}
