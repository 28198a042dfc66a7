using System.Net;
using System.Net.Sockets;

namespace Podhost.Streaming.Tests.Support;

/// <summary>Two ends of a loopback connection.</summary>
internal static class Pair
{
    public static async Task<(Stream Client, Stream Server)> ConnectAsync()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var client = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        var accept = listener.AcceptSocketAsync();
        await client.ConnectAsync(listener.LocalEndpoint);
        var server = await accept;
        server.NoDelay = true;
        return (new NetworkStream(client, true), new NetworkStream(server, true));
    }
}
