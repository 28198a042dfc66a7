using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Podhost.Kubelet.Probes.Handlers;

/// <summary>Opens TCP connections and phrases failures as Go's net package does, because people search for these texts.</summary>
internal static class Dialer
{
    /// <summary>Connects.</summary>
    /// <exception cref="DialException">No connection; the message begins with <c>dial tcp</c>.</exception>
    /// <exception cref="OperationCanceledException">Cancelled by <paramref name="caller"/>.</exception>
    public static async Task<Socket> ConnectAsync(string host, int port, CancellationToken deadline, CancellationToken caller)
    {
        var isAddress = IPAddress.TryParse(host, out var address);
        var socket = isAddress
            ? new Socket(address!.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.NoDelay = true;
            EndPoint endpoint = isAddress ? new IPEndPoint(address!, port) : new DnsEndPoint(host, port);
            await socket.ConnectAsync(endpoint, deadline).ConfigureAwait(false);
            return socket;
        }
        catch (OperationCanceledException) when (!caller.IsCancellationRequested)
        {
            socket.Dispose();
            throw new DialException($"dial tcp {Join(host, port)}: i/o timeout");
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new DialException($"dial tcp{Describe(e, host, port)}");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Host and port, an IPv6 address in brackets.</summary>
    public static string Join(string host, int port) =>
        host.Contains(':', StringComparison.Ordinal)
            ? string.Create(CultureInfo.InvariantCulture, $"[{host}]:{port}")
            : string.Create(CultureInfo.InvariantCulture, $"{host}:{port}");

    private static string Describe(SocketException e, string host, int port) => e.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => $" {Join(host, port)}: connect: connection refused",
        SocketError.HostUnreachable => $" {Join(host, port)}: connect: no route to host",
        SocketError.NetworkUnreachable => $" {Join(host, port)}: connect: network is unreachable",
        SocketError.TimedOut => $" {Join(host, port)}: connect: connection timed out",
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => $": lookup {host}: no such host",
        _ => $" {Join(host, port)}: connect: {e.Message}",
    };
}

/// <summary>A connection that could not be opened.</summary>
internal sealed class DialException(string message) : IOException(message);
