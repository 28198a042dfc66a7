using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Podhost.Streaming.Contract;
using Podhost.Streaming.PortForward;
using Podhost.Streaming.RemoteCommand;
using Podhost.Streaming.Spdy;
using Podhost.Streaming.WebSockets;

namespace Podhost.Streaming.Server;

/// <summary>Upgrades a request to WebSocket or SPDY and runs its session.</summary>
internal sealed partial class SessionHandler(IStreamingBackend backend, StreamingServerOptions options, TimeProvider time, ILogger logger)
{
    private const string SpdyUpgrade = "SPDY/3.1";
    private readonly SpdyLimits limits = new() { PingInterval = options.KeepAliveInterval };

    /// <summary>Serves one session to its end.</summary>
    public async Task HandleAsync(HttpContext context, SessionRequest request, CancellationToken cancellationToken)
    {
        var isWebSocket = WebSocketHandshake.IsRequested(context.Request);
        var isSpdy = string.Equals(context.Request.Headers.Upgrade, SpdyUpgrade, StringComparison.OrdinalIgnoreCase);
        if (context.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true } || !(isWebSocket || isSpdy))
        {
            await RefuseAsync(context, HttpStatusCode.BadRequest, "unable to upgrade: the request must ask for websocket or SPDY/3.1").ConfigureAwait(false);
            return;
        }

        if (isWebSocket && WebSocketHandshake.Check(context.Request) is { } problem)
        {
            await RefuseAsync(context, HttpStatusCode.BadRequest, problem).ConfigureAwait(false);
            return;
        }

        try
        {
            await (request switch
            {
                ExecSession e => RemoteCommandAsync(
                    context, isWebSocket, new StreamSelection(e.Tty, e.Stdin, e.Stdout, e.Stderr),
                    (streams, ct) => backend.ExecAsync(e.ContainerId, e.Command, e.Tty, streams, ct), cancellationToken),
                AttachSession a => RemoteCommandAsync(
                    context, isWebSocket, new StreamSelection(a.Tty, a.Stdin, a.Stdout, a.Stderr),
                    async (streams, ct) =>
                    {
                        await backend.AttachAsync(a.ContainerId, a.Tty, streams, ct).ConfigureAwait(false);
                        return 0;
                    },
                    cancellationToken),
                PortForwardSession p when isWebSocket => WebSocketPortForwardAsync(context, p, cancellationToken),
                PortForwardSession p => SpdyPortForwardAsync(context, p, cancellationToken),
                _ => throw new InvalidOperationException("unknown session"),
            }).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or TimeoutException or WebSocketException or OperationCanceledException)
        {
            LogEnded(e.Message);
        }
    }

    private async Task RemoteCommandAsync(
        HttpContext context, bool isWebSocket, StreamSelection selection, Func<SessionStreams, CancellationToken, Task<int>> call, CancellationToken cancellationToken)
    {
        var supported = isWebSocket ? RemoteCommandProtocol.WebSocket : RemoteCommandProtocol.Spdy;
        var offered = isWebSocket ? WebSocketHandshake.Offered(context.Request) : OfferedBySpdy(context.Request);
        if (RemoteCommandProtocol.Negotiate(offered, supported) is not { } protocol)
        {
            await RefuseProtocolAsync(context, isWebSocket, offered, supported.Select(p => p.Name)).ConfigureAwait(false);
            return;
        }

        var connection = isWebSocket
            ? await WebSocketRemoteCommand.StartAsync(
                await WebSocketHandshake.AcceptAsync(context, protocol.Name, options.KeepAliveInterval).ConfigureAwait(false),
                protocol, selection, time, cancellationToken).ConfigureAwait(false)
            : (IRemoteCommandConnection)await SpdyRemoteCommand.StartAsync(
                await AcceptSpdyAsync(context, protocol.Name).ConfigureAwait(false),
                protocol, selection, limits, options.StreamCreationTimeout, time, cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            if (await RemoteCommandSession.RunAsync(connection, call, time, cancellationToken).ConfigureAwait(false) is { } failure)
            {
                LogFailed(failure.Message);
                LogFailure(failure);
            }
        }
    }

    private async Task SpdyPortForwardAsync(HttpContext context, PortForwardSession session, CancellationToken cancellationToken)
    {
        var offered = OfferedBySpdy(context.Request);
        if (offered.Count > 0 && !offered.Contains(SpdyPortForward.Protocol))
        {
            await RefuseProtocolAsync(context, isWebSocket: false, offered, [SpdyPortForward.Protocol]).ConfigureAwait(false);
            return;
        }

        var transport = await AcceptSpdyAsync(context, SpdyPortForward.Protocol).ConfigureAwait(false);
        await ForwardAsync(transport, session, cancellationToken).ConfigureAwait(false);
    }

    private async Task WebSocketPortForwardAsync(HttpContext context, PortForwardSession session, CancellationToken cancellationToken)
    {
        var offered = WebSocketHandshake.Offered(context.Request);
        if (offered.Contains(SpdyPortForward.TunnelProtocol))
        {
            var tunnel = await WebSocketHandshake.AcceptAsync(context, SpdyPortForward.TunnelProtocol, options.KeepAliveInterval).ConfigureAwait(false);
            await ForwardAsync(new WebSocketTunnel(tunnel), session, cancellationToken).ConfigureAwait(false);
            return;
        }

        var name = offered.Count == 0 ? "" : offered.FirstOrDefault(o => WebSocketPortForward.IsBase64(o) is not null);
        if (name is null || WebSocketPortForward.IsBase64(name) is not { } base64)
        {
            await RefuseProtocolAsync(context, isWebSocket: true, offered, [SpdyPortForward.TunnelProtocol, "v4.channel.k8s.io"]).ConfigureAwait(false);
            return;
        }

        var most = base64 ? 5 : WebSocketPortForward.MaxPorts;
        if (session.Ports.Count == 0 || session.Ports.Count > most)
        {
            await RefuseAsync(context, HttpStatusCode.BadRequest, $"query parameter \"port\" is required, 1 to {most} times").ConfigureAwait(false);
            return;
        }

        using var socket = await WebSocketHandshake.AcceptAsync(context, name, options.KeepAliveInterval).ConfigureAwait(false);
        await new WebSocketPortForward(socket, base64, session.Ports, backend, session.SandboxId).RunAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task ForwardAsync(Stream transport, PortForwardSession session, CancellationToken cancellationToken)
    {
        var connection = new SpdyConnection(transport, isServer: true, limits, time);
        await using (connection.ConfigureAwait(false))
        {
            await new SpdyPortForward(connection, backend, session.SandboxId, options.StreamCreationTimeout, time).RunAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<Stream> AcceptSpdyAsync(HttpContext context, string protocol)
    {
        context.Response.Headers.Connection = "Upgrade";
        context.Response.Headers.Upgrade = SpdyUpgrade;
        if (protocol.Length > 0)
        {
            context.Response.Headers["X-Stream-Protocol-Version"] = protocol;
        }

        return await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync().ConfigureAwait(false);
    }

    private static IReadOnlyList<string> OfferedBySpdy(HttpRequest request) =>
        [.. request.Headers["X-Stream-Protocol-Version"]
            .SelectMany(v => (v ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))];

    private static Task RefuseProtocolAsync(HttpContext context, bool isWebSocket, IReadOnlyList<string> offered, IEnumerable<string> supported)
    {
        var names = supported.ToList();
        if (!isWebSocket)
        {
            // Clients read these to try again with another version.
            context.Response.Headers["X-Accept-Stream-Protocol-Versions"] = names.ToArray();
        }

        return RefuseAsync(
            context, HttpStatusCode.Forbidden, $"unable to negotiate protocol: client supports [{string.Join(' ', offered)}], server accepts [{string.Join(' ', names)}]");
    }

    private static Task RefuseAsync(HttpContext context, HttpStatusCode code, string message)
    {
        context.Response.StatusCode = (int)code;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(message + "\n", context.RequestAborted);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "streaming session ended: {Why}")]
    private partial void LogEnded(string why);

    [LoggerMessage(Level = LogLevel.Information, Message = "streaming session failed: {Why}")]
    private partial void LogFailed(string why);

    [LoggerMessage(Level = LogLevel.Debug, Message = "streaming session failed")]
    private partial void LogFailure(Exception failure);
}
