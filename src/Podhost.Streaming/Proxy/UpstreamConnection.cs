using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Podhost.Streaming.Proxy;

/// <summary>A TCP or TLS connection to the server that a request is tunnelled to.</summary>
internal sealed class UpstreamConnection : IAsyncDisposable
{
    private readonly Socket socket;

    private UpstreamConnection(Socket socket, Stream stream)
    {
        this.socket = socket;
        Stream = stream;
    }

    /// <summary>The plain or decrypted bytes.</summary>
    public Stream Stream { get; }

    /// <summary>Dials.</summary>
    /// <exception cref="SocketException">No connection.</exception>
    /// <exception cref="System.Security.Authentication.AuthenticationException">TLS failed.</exception>
    public static async Task<UpstreamConnection> DialAsync(Uri target, SslClientAuthenticationOptions? tls, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            // A peer that vanished without a word is noticed after about two minutes, even where nothing is sent.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 60);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 15);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 4);
            await socket.ConnectAsync(new DnsEndPoint(target.IdnHost, target.Port), cancellationToken).ConfigureAwait(false);
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (target.Scheme is "https" or "wss")
            {
                var ssl = new SslStream(stream);
                stream = ssl;
                await ssl.AuthenticateAsClientAsync(tls ?? new SslClientAuthenticationOptions { TargetHost = target.IdnHost }, cancellationToken).ConfigureAwait(false);
            }

            return new UpstreamConnection(socket, stream);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Half-closes towards the server.</summary>
    public async Task CloseWriteAsync()
    {
        if (Stream is SslStream ssl)
        {
            await ssl.ShutdownAsync().ConfigureAwait(false);
        }

        socket.Shutdown(SocketShutdown.Send);
    }

    public ValueTask DisposeAsync() => Stream.DisposeAsync();
}
