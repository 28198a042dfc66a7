using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Podhost.Streaming.WebSockets;

/// <summary>Sends a one-way byte stream (a container's log) to a client that asked for it over WebSocket, as apimachinery's wsstream does.</summary>
public static class WebSocketOutput
{
    private const string Binary = "binary.k8s.io";
    private const string Base64 = "base64.binary.k8s.io";
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(30);

    /// <summary>True for a request that asks for a WebSocket.</summary>
    public static bool IsRequested(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return WebSocketHandshake.IsRequested(request);
    }

    /// <summary>Accepts the WebSocket, sends what <paramref name="produce"/> writes, and closes. A client that goes cancels it.</summary>
    /// <param name="context">The request; one that cannot be upgraded is answered with 400.</param>
    /// <param name="produce">Writes the stream.</param>
    public static async Task RunAsync(HttpContext context, Func<Stream, CancellationToken, Task> produce)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(produce);
        var offered = WebSocketHandshake.Offered(context.Request);
        var protocol = offered.Count == 0 ? "" : offered.FirstOrDefault(p => p is Binary or Base64);
        var problem = context.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true } ? "unable to upgrade this connection"
            : protocol is null ? $"unable to negotiate protocol: client supports [{string.Join(' ', offered)}], server accepts [{Binary} {Base64}]"
            : WebSocketHandshake.Check(context.Request);
        if (problem is not null)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            await context.Response.WriteAsync(problem + "\n", context.RequestAborted).ConfigureAwait(false);
            return;
        }

        using var socket = await WebSocketHandshake.AcceptAsync(context, protocol!, KeepAlive).ConfigureAwait(false);
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        var reading = UntilClosedAsync(socket, gone);
        try
        {
            await produce(new MessageStream(socket, protocol == Base64), gone.Token).ConfigureAwait(false);
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", gone.Token).ConfigureAwait(false);
            await reading.WaitAsync(RemoteCommand.RemoteCommandSession.Linger, gone.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is WebSocketException or TimeoutException || gone.IsCancellationRequested)
        {
            // The client is gone, or does not hang up.
        }
        finally
        {
            await gone.CancelAsync().ConfigureAwait(false);
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task UntilClosedAsync(WebSocket socket, CancellationTokenSource gone)
    {
        var buffer = new byte[256];
        try
        {
            while ((await socket.ReceiveAsync(buffer.AsMemory(), gone.Token).ConfigureAwait(false)).MessageType != WebSocketMessageType.Close)
            {
                // What such a client sends means nothing.
            }
        }
        finally
        {
            await gone.CancelAsync().ConfigureAwait(false);
        }
    }

    private sealed class MessageStream(WebSocket socket, bool base64) : MemoryStream
    {
        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (base64)
            {
                await socket.SendAsync(Encoding.ASCII.GetBytes(Convert.ToBase64String(buffer.Span)), WebSocketMessageType.Text, true, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                await socket.SendAsync(buffer, WebSocketMessageType.Binary, true, cancellationToken).ConfigureAwait(false);
            }
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
