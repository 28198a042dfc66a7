using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Podhost.Streaming.Http;
using Podhost.Streaming.WebSockets;

namespace Podhost.Streaming.Proxy;

/// <summary>
/// Tunnels a request that asks for an upgrade (WebSocket or SPDY) to another server, byte for byte, as the API server does towards kubelets
/// and a kubelet towards its runtime. It knows neither protocol: what the two ends agree on passes.
/// </summary>
public sealed class UpgradeProxy(TimeProvider time)
{
    /// <summary>A credential that browsers put among the subprotocols; it is the front server's and goes no further.</summary>
    private const string BearerSubprotocol = "base64url.bearer.authorization.k8s.io.";

    private static readonly TimeSpan DialTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan HeadTimeout = TimeSpan.FromSeconds(60);

    // After the client's end the target gets this long to close too. Kestrel itself ends a connection whose client half-closed it, so this
    // matters only for other servers below HttpContext.
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(30);

    private static readonly string[] Forwarded =
    [
        "Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Extensions", "X-Stream-Protocol-Version", "User-Agent", "Accept",
    ];

    private static readonly HashSet<string> HopByHop = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length",
    };

    /// <summary>True for a request that asks for an upgrade.</summary>
    public static bool IsUpgradeRequest(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return request.Headers.Connection
            .SelectMany(v => (v ?? "").Split(',', StringSplitOptions.TrimEntries))
            .Any(v => v.Equals("Upgrade", StringComparison.OrdinalIgnoreCase)) && request.Headers.Upgrade.Count > 0;
    }

    /// <summary>
    /// Sends the request to <paramref name="target"/> and relays the answer: an upgraded connection until both sides have ended, any other
    /// answer with its body. Every outcome is an answer to the client; failures to reach the target are a Status of 502 or 504.
    /// </summary>
    /// <param name="context">The client's request; its credentials are not passed on.</param>
    /// <param name="target">Absolute URL (http or https) with path and query as the target shall see them.</param>
    /// <param name="tls">Client certificate and server verification for https; null for the system's defaults.</param>
    /// <param name="extraHeaders">Headers to add, for example credentials for the target; null for none.</param>
    /// <param name="cancellationToken">Ends the tunnel; that the client goes is watched here.</param>
    public async Task ProxyAsync(
        HttpContext context,
        Uri target,
        SslClientAuthenticationOptions? tls,
        IReadOnlyDictionary<string, string>? extraHeaders,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(target);
        var upgrade = context.Features.Get<IHttpUpgradeFeature>();
        if (!HttpProtocol.IsHttp11(context.Request.Protocol))
        {
            await StatusResponse.WriteAsync(context, 400, "BadRequest", $"unable to upgrade: {context.Request.Protocol} has no Upgrade; use HTTP/1.1").ConfigureAwait(false);
            return;
        }

        if (!IsUpgradeRequest(context.Request) || upgrade is not { IsUpgradableRequest: true })
        {
            await StatusResponse.WriteAsync(context, 400, "BadRequest", "Upgrade request required").ConfigureAwait(false);
            return;
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, context.RequestAborted);
        var (connection, problem) = await DialAsync(target, tls, stop.Token).ConfigureAwait(false);
        if (connection is null)
        {
            await StatusResponse.WriteAsync(context, problem.Code, problem.Reason, problem.Message).ConfigureAwait(false);
            return;
        }

        await using (connection.ConfigureAwait(false))
        {
            await ExchangeAsync(context, upgrade, connection, target, extraHeaders, stop.Token).ConfigureAwait(false);
        }
    }

    private async Task<(UpstreamConnection? Connection, Problem Problem)> DialAsync(Uri target, SslClientAuthenticationOptions? tls, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(DialTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return (await UpstreamConnection.DialAsync(target, tls, either.Token).ConfigureAwait(false), default);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return (null, new Problem(504, "Timeout", $"error dialing backend: no connection to {target.Authority} in {DialTimeout.TotalSeconds} s"));
        }
        catch (Exception e) when (e is SocketException or IOException or AuthenticationException)
        {
            return (null, new Problem(502, "BadGateway", $"error dialing backend: {target.Authority}: {e.Message}"));
        }
    }

    private async Task ExchangeAsync(
        HttpContext context,
        IHttpUpgradeFeature upgrade,
        UpstreamConnection connection,
        Uri target,
        IReadOnlyDictionary<string, string>? extraHeaders,
        CancellationToken cancellationToken)
    {
        HttpResponseHead head;
        Stream source;
        using (var limit = new CancellationTokenSource(HeadTimeout, time))
        using (var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken))
        {
            try
            {
                await connection.Stream.WriteAsync(RequestHead(context.Request, target, extraHeaders), either.Token).ConfigureAwait(false);
                await connection.Stream.FlushAsync(either.Token).ConfigureAwait(false);
                (head, source) = await HttpResponseHead.ReadAsync(connection.Stream, either.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or InvalidDataException || (e is OperationCanceledException && limit.IsCancellationRequested))
            {
                await StatusResponse.WriteAsync(context, 502, "BadGateway", $"error reading the answer of {target.Authority}: {e.Message}").ConfigureAwait(false);
                return;
            }
        }

        CopyHeaders(head, context.Response);
        if (head.StatusCode != StatusCodes.Status101SwitchingProtocols)
        {
            await RelayAnswerAsync(context, head, source, cancellationToken).ConfigureAwait(false);
            return;
        }

        context.Response.Headers.Connection = "Upgrade";
        context.Response.Headers.Upgrade = head["Upgrade"];
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null; // a client that does not read now is no attack but a full terminal
        }

        var client = await upgrade.UpgradeAsync().ConfigureAwait(false);
        await using (client.ConfigureAwait(false))
        {
            await TunnelAsync(client, source, connection, cancellationToken).ConfigureAwait(false);
        }
    }

    private static byte[] RequestHead(HttpRequest request, Uri target, IReadOnlyDictionary<string, string>? extraHeaders)
    {
        var head = new StringBuilder(512);
        head.Append(request.Method).Append(' ').Append(target.PathAndQuery).Append(" HTTP/1.1\r\n");
        Append("Host", target.IsDefaultPort ? target.Host : target.Authority);
        Append("Connection", "Upgrade");
        foreach (var name in Forwarded)
        {
            foreach (var value in request.Headers[name])
            {
                Append(name, value);
            }
        }

        var protocols = WebSocketHandshake.Offered(request).Where(p => !p.StartsWith(BearerSubprotocol, StringComparison.Ordinal)).ToList();
        if (protocols.Count > 0)
        {
            Append("Sec-WebSocket-Protocol", string.Join(", ", protocols));
        }

        if (!HttpMethods.IsGet(request.Method))
        {
            Append("Content-Length", "0");
        }

        foreach (var (name, value) in extraHeaders ?? new Dictionary<string, string>())
        {
            Append(name, value);
        }

        return Encoding.Latin1.GetBytes(head.Append("\r\n").ToString());

        void Append(string name, string? value)
        {
            if (value is null || value.AsSpan().IndexOfAny('\r', '\n', '\0') >= 0)
            {
                return; // Kestrel refuses such values; never let one through from elsewhere
            }

            head.Append(name).Append(": ").Append(value).Append("\r\n");
        }
    }

    private static void CopyHeaders(HttpResponseHead head, HttpResponse response)
    {
        response.StatusCode = head.StatusCode;
        foreach (var (name, value) in head.Headers)
        {
            if (!HopByHop.Contains(name))
            {
                response.Headers.Append(name, value);
            }
        }
    }

    private static async Task RelayAnswerAsync(HttpContext context, HttpResponseHead head, Stream source, CancellationToken cancellationToken)
    {
        try
        {
            await HttpResponseBody.CopyAsync(head, source, context.Response.Body, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            context.Abort(); // part of the body may be out already: only a broken connection tells the client
        }
    }

    private async Task TunnelAsync(Stream client, Stream server, UpstreamConnection connection, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var up = CopyUpAsync(client, server, connection, stop.Token);
        var down = CopyAsync(server, client, stop.Token);
        var first = await Task.WhenAny(up, down).ConfigureAwait(false);
        if (first == down || !await first.ConfigureAwait(false))
        {
            // The server said its last and the upgraded connection cannot be half-closed towards the client, or one side broke.
            await stop.CancelAsync().ConfigureAwait(false);
        }
        else
        {
            stop.CancelAfter(Linger);
        }

        await Task.WhenAll(up, down).ConfigureAwait(false);
    }

    private static async Task<bool> CopyUpAsync(Stream client, Stream server, UpstreamConnection connection, CancellationToken cancellationToken)
    {
        if (!await CopyAsync(client, server, cancellationToken).ConfigureAwait(false))
        {
            return false;
        }

        try
        {
            await connection.CloseWriteAsync().ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <returns>True where the source ended, false where either side broke or the tunnel was cancelled.</returns>
    private static async Task<bool> CopyAsync(Stream source, Stream destination, CancellationToken cancellationToken)
    {
        var buffer = new byte[32 * 1024];
        try
        {
            int n;
            while ((n = await source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                await destination.WriteAsync(buffer.AsMemory(0, n), cancellationToken).ConfigureAwait(false);
                await destination.FlushAsync(cancellationToken).ConfigureAwait(false);
            }

            return true;
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException or SocketException or InvalidOperationException)
        {
            return false;
        }
    }

    private readonly record struct Problem(int Code, string Reason, string Message);
}
