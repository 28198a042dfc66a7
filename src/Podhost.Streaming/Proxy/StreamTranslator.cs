using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Podhost.Streaming.Server;
using Podhost.Streaming.WebSockets;

namespace Podhost.Streaming.Proxy;

/// <summary>
/// Serves WebSocket clients from a streaming server that speaks SPDY only, or an older WebSocket than theirs: containerd's and CRI-O's know no
/// version 5 and no port-forward tunnel. SPDY, which every one of them speaks, goes to the target; the client's protocol stays here.
/// </summary>
public sealed class StreamTranslator(TimeProvider time, ILoggerFactory loggers)
{
    private readonly StreamingServerOptions options = new();

    /// <summary>True for a request that asks for a WebSocket.</summary>
    public static bool IsWebSocketRequest(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return WebSocketHandshake.IsRequested(request);
    }

    /// <summary>Serves one exec or attach session; the target's URL holds the command.</summary>
    /// <param name="context">The client's request, not answered yet.</param>
    /// <param name="target">The runtime's URL (http or https); it is used once.</param>
    /// <param name="streams">The streams that the URL was made for.</param>
    /// <param name="cancellationToken">Ends the session.</param>
    public Task RemoteCommandAsync(HttpContext context, Uri target, SessionStreamSet streams, CancellationToken cancellationToken) =>
        ServeAsync(context, target, new ExecSession("", [], streams.Tty, streams.Stdin, streams.Stdout, streams.Stderr), cancellationToken);

    /// <summary>Serves one port-forward session.</summary>
    /// <param name="context">The client's request, not answered yet.</param>
    /// <param name="target">The runtime's URL (http or https); it is used once.</param>
    /// <param name="ports">The ports of the request, for clients of the WebSocket channel protocol.</param>
    /// <param name="cancellationToken">Ends the session.</param>
    public Task PortForwardAsync(HttpContext context, Uri target, IReadOnlyList<int> ports, CancellationToken cancellationToken) =>
        ServeAsync(context, target, new PortForwardSession("", ports), cancellationToken);

    private async Task ServeAsync(HttpContext context, Uri target, SessionRequest session, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        var upstream = new SpdyUpstream(target, time);
        await using (upstream.ConfigureAwait(false))
        {
            await new SessionHandler(upstream, options, time, loggers.CreateLogger<StreamTranslator>()).HandleAsync(context, session, cancellationToken).ConfigureAwait(false);
        }
    }
}

/// <summary>Which streams an exec or attach session has.</summary>
public readonly record struct SessionStreamSet(bool Tty, bool Stdin, bool Stdout, bool Stderr);
