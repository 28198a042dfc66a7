using System.Diagnostics.CodeAnalysis;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Podhost.Streaming.WebSockets;

/// <summary>The server's half of the WebSocket handshake (RFC 6455 section 4.2).</summary>
/// <remarks>By hand, because the subprotocol <c>SPDY/3.1+portforward.k8s.io</c> is no token of the RFC and libraries refuse it.</remarks>
internal static class WebSocketHandshake
{
    private const string Guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    /// <summary>True for a request that asks for a WebSocket.</summary>
    public static bool IsRequested(HttpRequest request) =>
        string.Equals(request.Headers.Upgrade, "websocket", StringComparison.OrdinalIgnoreCase);

    /// <summary>The subprotocols the client offers, in its order.</summary>
    public static IReadOnlyList<string> Offered(HttpRequest request) =>
        [.. request.Headers.SecWebSocketProtocol
            .SelectMany(v => (v ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))];

    /// <summary>Why the request cannot become a WebSocket, or null.</summary>
    public static string? Check(HttpRequest request)
    {
        if (request.Headers.SecWebSocketVersion != "13")
        {
            return "Sec-WebSocket-Version must be 13";
        }

        return TryKey(request, out _) ? null : "Sec-WebSocket-Key must be 16 bytes in base64";
    }

    /// <summary>Answers 101 and returns the socket. The request must have passed <see cref="Check"/>.</summary>
    public static async Task<WebSocket> AcceptAsync(HttpContext context, string subprotocol, TimeSpan keepAlive)
    {
        if (!TryKey(context.Request, out var key))
        {
            throw new InvalidOperationException("the request was not checked");
        }

        var headers = context.Response.Headers;
        headers.Upgrade = "websocket";
        headers.Connection = "Upgrade";
        headers.SecWebSocketAccept = Accept(key);
        if (subprotocol.Length > 0)
        {
            headers.SecWebSocketProtocol = subprotocol;
        }

        var stream = await context.Features.GetRequiredFeature<IHttpUpgradeFeature>().UpgradeAsync().ConfigureAwait(false);
        return WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = true, KeepAliveInterval = keepAlive });
    }

    [SuppressMessage("Security", "CA5350", Justification = "SHA-1 is what RFC 6455 prescribes; it protects nothing")]
    internal static string Accept(string key) => Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + Guid)));

    private static bool TryKey(HttpRequest request, out string key)
    {
        key = request.Headers.SecWebSocketKey.Count == 1 ? request.Headers.SecWebSocketKey[0] ?? "" : "";
        Span<byte> bytes = stackalloc byte[18];
        return key.Length == 24 && Convert.TryFromBase64String(key, bytes, out var n) && n == 16;
    }
}
