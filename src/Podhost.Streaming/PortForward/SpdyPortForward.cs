using System.Globalization;
using System.Text;
using Podhost.Streaming.Contract;
using Podhost.Streaming.Spdy;

namespace Podhost.Streaming.PortForward;

/// <summary>
/// Port-forward over SPDY (<c>portforward.k8s.io</c>), directly or tunnelled through a WebSocket. For each forwarded connection the client
/// opens an error and a data stream with the same <c>requestid</c> and <c>port</c> headers.
/// </summary>
internal sealed class SpdyPortForward(SpdyConnection connection, IStreamingBackend backend, string sandboxId, TimeSpan pairTimeout, TimeProvider time)
{
    /// <summary>The protocol's name in X-Stream-Protocol-Version.</summary>
    public const string Protocol = "portforward.k8s.io";

    /// <summary>The WebSocket subprotocol that carries a whole SPDY connection.</summary>
    public const string TunnelProtocol = "SPDY/3.1+portforward.k8s.io";

    private readonly Lock gate = new();
    private readonly Dictionary<string, Pair> waiting = [];
    private readonly HashSet<Task> running = [];

    /// <summary>Serves until the client ends the connection; forwards that still run are cancelled then.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var accepting = AcceptAsync(stop.Token);
        try
        {
            await connection.RunAsync(stop.Token).ConfigureAwait(false);
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Task.WhenAll(Running()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task AcceptAsync(CancellationToken cancellationToken)
    {
        await foreach (var stream in connection.Incoming.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            if (Describe(stream) is not { } request)
            {
                await stream.ResetAsync(SpdyRstStatus.RefusedStream, cancellationToken).ConfigureAwait(false);
                continue;
            }

            await stream.AcceptAsync(cancellationToken).ConfigureAwait(false);
            if (!Join(request, stream, out var complete))
            {
                await stream.ResetAsync(SpdyRstStatus.ProtocolError, cancellationToken).ConfigureAwait(false);
            }
            else if (complete is not null)
            {
                Track(ForwardAsync(complete, cancellationToken));
            }
            else
            {
                Track(ExpireAsync(request.Id, cancellationToken));
            }
        }
    }

    private static StreamRequest? Describe(SpdyStream stream)
    {
        var type = stream.Headers["streamtype"];
        if (type is not ("error" or "data")
            || !int.TryParse(stream.Headers["port"], NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            || port is < 1 or > 65535)
        {
            return null;
        }

        // Clients that send no request ID open the data stream right after the error stream.
        var isError = type == "error";
        var id = stream.Headers["requestid"] ?? "stream-" + (isError ? stream.Id : stream.Id - 2).ToString(CultureInfo.InvariantCulture);
        return new StreamRequest(id, port, isError);
    }

    private bool Join(StreamRequest request, SpdyStream stream, out CompletePair? complete)
    {
        complete = null;
        lock (gate)
        {
            var pair = waiting.GetValueOrDefault(request.Id) ?? new Pair(request.Port);
            if (pair.Port != request.Port || (request.IsError ? pair.Error : pair.Data) is not null)
            {
                return false;
            }

            pair = request.IsError ? pair with { Error = stream } : pair with { Data = stream };
            if (pair is { Error: { } error, Data: { } data })
            {
                waiting.Remove(request.Id);
                complete = new CompletePair(pair.Port, error, data);
            }
            else
            {
                waiting[request.Id] = pair;
            }

            return true;
        }
    }

    private async Task ExpireAsync(string id, CancellationToken cancellationToken)
    {
        await Task.Delay(pairTimeout, time, cancellationToken).ConfigureAwait(false);
        Pair? pair;
        lock (gate)
        {
            waiting.Remove(id, out pair);
        }

        foreach (var stream in new[] { pair?.Error, pair?.Data })
        {
            if (stream is not null)
            {
                await stream.ResetAsync(SpdyRstStatus.Cancel, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task ForwardAsync(CompletePair pair, CancellationToken cancellationToken)
    {
        await using (pair.Data.ConfigureAwait(false))
        await using (pair.Error.ConfigureAwait(false))
        {
            try
            {
                await backend.PortForwardAsync(sandboxId, pair.Port, pair.Data, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                await pair.Error.WriteAsync(Encoding.UTF8.GetBytes(PortForwardErrors.Message(pair.Port, sandboxId, e)), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private void Track(Task task)
    {
        lock (gate)
        {
            running.Add(task);
        }

        _ = task.ContinueWith(
            t =>
            {
                _ = t.Exception; // a failure here is the connection's end, which RunAsync sees for itself
                lock (gate)
                {
                    running.Remove(t);
                }
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    private Task[] Running()
    {
        lock (gate)
        {
            return [.. running];
        }
    }

    private readonly record struct StreamRequest(string Id, int Port, bool IsError);

    private sealed record Pair(int Port)
    {
        public SpdyStream? Error { get; init; }

        public SpdyStream? Data { get; init; }
    }

    private sealed record CompletePair(int Port, SpdyStream Error, SpdyStream Data);
}

/// <summary>What a client reads on the error stream.</summary>
internal static class PortForwardErrors
{
    /// <summary>As upstream phrases it; kubectl shows it behind <c>an error occurred forwarding</c>.</summary>
    public static string Message(int port, string sandboxId, Exception e) =>
        e is ForwardedErrorException ? e.Message : string.Create(CultureInfo.InvariantCulture, $"error forwarding port {port} to pod {sandboxId}, uid : {e.Message}");
}

/// <summary>Another server's whole message for the client.</summary>
internal sealed class ForwardedErrorException(string message) : IOException(message);
