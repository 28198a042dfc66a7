using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Podhost.Network.Dns.Upstream;

namespace Podhost.Network.Dns.Server;

/// <summary>The sockets of an address, UDP and TCP. Bound at once; what clients send meanwhile waits in the kernel until it runs.</summary>
internal sealed partial class Listeners : IDisposable
{
    private const int LargestQuery = 4096;
    private readonly Socket _udp;
    private readonly Socket _tcp;
    private readonly QueryHandler _handler;
    private readonly DnsServerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private int _connections;

    /// <summary>Binds.</summary>
    /// <exception cref="SocketException">The address is not there, or in use.</exception>
    public Listeners(IPEndPoint endpoint, QueryHandler handler, DnsServerOptions options, TimeProvider time, ILogger log)
    {
        (_handler, _options, _time, _log) = (handler, options, time, log);
        _udp = new Socket(endpoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        _tcp = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            _udp.Bind(endpoint);
            _tcp.Bind(new IPEndPoint(endpoint.Address, ((IPEndPoint)_udp.LocalEndPoint!).Port));
            _tcp.Listen();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Endpoint => (IPEndPoint)_udp.LocalEndPoint!;

    /// <summary>Answers until cancelled.</summary>
    public Task RunAsync(CancellationToken stop) => Task.WhenAll(ReceiveAsync(stop), AcceptAsync(stop));

    /// <inheritdoc/>
    public void Dispose()
    {
        _udp.Dispose();
        _tcp.Dispose();
    }

    private bool IsClient(EndPoint? remote) => remote is IPEndPoint { Port: > 0 } from && _options.Clients.Any(c => c.Contains(from.Address));

    private async Task ReceiveAsync(CancellationToken stop)
    {
        var buffer = new byte[LargestQuery];
        var any = new IPEndPoint(_udp.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var received = await _udp.ReceiveFromAsync(buffer, SocketFlags.None, any, stop);
                if (!IsClient(received.RemoteEndPoint))
                {
                    continue;
                }

                var answer = _handler.HandleAsync(buffer.AsSpan(0, received.ReceivedBytes), tcp: false, stop);
                if (answer.IsCompletedSuccessfully)
                {
                    await SendAsync(answer.Result, received.RemoteEndPoint, stop);
                }
                else
                {
                    // Bounded by the forwarder, which answers at once where too much is asked.
                    _ = SendLaterAsync(answer.AsTask(), received.RemoteEndPoint, stop);
                }
            }
            catch (SocketException e)
            {
                // An earlier client has gone (ECONNREFUSED), or its network has.
                LogClientGone(_log, e);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task SendLaterAsync(Task<byte[]?> answer, EndPoint to, CancellationToken stop)
    {
        try
        {
            await SendAsync(await answer, to, stop);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            LogClientGone(_log, e);
        }
    }

    private async Task SendAsync(byte[]? answer, EndPoint to, CancellationToken stop)
    {
        if (answer is not null)
        {
            await _udp.SendToAsync(answer, SocketFlags.None, to, stop);
        }
    }

    private async Task AcceptAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var connection = await _tcp.AcceptAsync(stop);
                if (!IsClient(connection.RemoteEndPoint) || Volatile.Read(ref _connections) >= _options.MaxConnections)
                {
                    connection.Dispose();
                    continue;
                }

                Interlocked.Increment(ref _connections);
                _ = ServeAsync(connection, stop);
            }
            catch (SocketException e)
            {
                LogClientGone(_log, e);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
        }
    }

    // One question after the other: a client that pipelines many waits, and takes nothing from the others.
    private async Task ServeAsync(Socket connection, CancellationToken stop)
    {
        try
        {
            await using var stream = new NetworkStream(connection, ownsSocket: true);
            while (true)
            {
                using var idle = new CancellationTokenSource(_options.IdleTimeout, _time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, idle.Token);
                if (await TcpFrame.ReadAsync(stream, either.Token) is not { } message
                    || await _handler.HandleAsync(message, tcp: true, either.Token) is not { } answer)
                {
                    return;
                }

                await TcpFrame.WriteAsync(stream, answer, either.Token);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            LogClientGone(_log, e);
        }
        finally
        {
            Interlocked.Decrement(ref _connections);
        }
    }

    [LoggerMessage(Level = LogLevel.Trace, Message = "a client of the cluster DNS has gone")]
    private static partial void LogClientGone(ILogger logger, Exception exception);
}
