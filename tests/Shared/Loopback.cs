using System.Net;
using System.Net.Sockets;

namespace Podhost.Tests.Shared;

/// <summary>The loopback interface, on which the tests' servers listen.</summary>
internal static class Loopback
{
    /// <summary>A TCP port that nobody listens on now.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
