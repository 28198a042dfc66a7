using Podhost.Streaming.Contract;
using Podhost.Streaming.Spdy;

namespace Podhost.Streaming.RemoteCommand;

/// <summary>Exec and attach over SPDY: a stream each for error, stdin, stdout, stderr and resize, all opened by the client.</summary>
internal sealed class SpdyRemoteCommand : IRemoteCommandConnection
{
    private readonly SpdyConnection connection;
    private readonly RemoteCommandProtocol protocol;
    private readonly CancellationTokenSource gone;
    private readonly Task reading;
    private readonly Dictionary<string, SpdyStream> streams = [];
    private readonly TerminalSizeReader sizes = new();
    private readonly TimeProvider time;
    private Task resizing = Task.CompletedTask;
    private Task refusing = Task.CompletedTask;

    private SpdyRemoteCommand(SpdyConnection connection, RemoteCommandProtocol protocol, TimeProvider time, CancellationToken cancellationToken)
    {
        this.connection = connection;
        this.protocol = protocol;
        this.time = time;
        gone = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        ClientGone = gone.Token;
        reading = ReadAsync();
        Streams = new SessionStreams(null, null, null, null);
    }

    public SessionStreams Streams { get; private set; }

    public CancellationToken ClientGone { get; }

    /// <summary>Waits until the client opened all the streams that it asked for.</summary>
    /// <exception cref="TimeoutException">It did not within <paramref name="timeout"/>.</exception>
    public static async Task<SpdyRemoteCommand> StartAsync(
        Stream transport, RemoteCommandProtocol protocol, StreamSelection selection, SpdyLimits limits, TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        var session = new SpdyRemoteCommand(new SpdyConnection(transport, isServer: true, limits, time), protocol, time, cancellationToken);
        try
        {
            await session.CollectAsync(Expected(selection, protocol), timeout).ConfigureAwait(false);
            return session;
        }
        catch
        {
            await session.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async Task FinishAsync(RemoteCommandStatus status, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, ClientGone);
        foreach (var name in new[] { "stdout", "stderr", "stdin", "resize" })
        {
            if (streams.TryGetValue(name, out var stream))
            {
                await stream.CloseWriteAsync(either.Token).ConfigureAwait(false);
            }
        }

        var error = streams["error"];
        await error.WriteAsync(status.Encode(protocol.JsonStatus), either.Token).ConfigureAwait(false);
        await error.CloseWriteAsync(either.Token).ConfigureAwait(false);
        foreach (var stream in streams.Values)
        {
            // Nobody reads the input any more; a full buffer would keep the read loop from seeing the client hang up.
            stream.StopReading();
        }

        await reading.WaitAsync(RemoteCommandSession.Linger, time, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await gone.CancelAsync().ConfigureAwait(false);
        await connection.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(reading, resizing, refusing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        gone.Dispose();
    }

    private static HashSet<string> Expected(StreamSelection selection, RemoteCommandProtocol protocol)
    {
        var names = new HashSet<string> { "error" };
        Include("stdin", selection.Stdin);
        Include("stdout", selection.Stdout);
        Include("stderr", selection.Stderr);
        Include("resize", selection.Tty && protocol.Resizes);
        return names;

        void Include(string name, bool wanted)
        {
            if (wanted)
            {
                names.Add(name);
            }
        }
    }

    private async Task ReadAsync()
    {
        try
        {
            await connection.RunAsync(ClientGone).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // A vanished client and one that breaks the protocol end alike: the command is cancelled.
        }
        finally
        {
            await gone.CancelAsync().ConfigureAwait(false);
        }
    }

    private async Task CollectAsync(HashSet<string> expected, TimeSpan timeout)
    {
        using var limit = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ClientGone);
        try
        {
            while (expected.Count > 0)
            {
                var stream = await connection.Incoming.ReadAsync(either.Token).ConfigureAwait(false);
                var name = stream.Headers["streamtype"] ?? "";
                if (!expected.Remove(name))
                {
                    await stream.ResetAsync(SpdyRstStatus.RefusedStream, either.Token).ConfigureAwait(false);
                    throw new SpdyProtocolException($"unexpected stream \"{name}\"");
                }

                await stream.AcceptAsync(either.Token).ConfigureAwait(false);
                streams[name] = stream;
            }
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            throw new TimeoutException($"the client did not open its streams in {timeout.TotalSeconds} s: missing {string.Join(", ", expected)}");
        }

        refusing = RefuseMoreAsync();
        Streams = new SessionStreams(
            streams.GetValueOrDefault("stdin"),
            streams.GetValueOrDefault("stdout"),
            streams.GetValueOrDefault("stderr"),
            streams.TryGetValue("resize", out var resize) ? sizes.Sizes : null);
        if (resize is not null)
        {
            resizing = ReadSizesAsync(resize);
        }
    }

    private async Task RefuseMoreAsync()
    {
        await foreach (var stream in connection.Incoming.ReadAllAsync(ClientGone).ConfigureAwait(false))
        {
            await stream.ResetAsync(SpdyRstStatus.RefusedStream, ClientGone).ConfigureAwait(false);
        }
    }

    private async Task ReadSizesAsync(SpdyStream resize)
    {
        var buffer = new byte[256];
        try
        {
            int n;
            while ((n = await resize.ReadAsync(buffer, ClientGone).ConfigureAwait(false)) > 0)
            {
                sizes.Append(buffer.AsSpan(0, n));
            }
        }
        catch (InvalidDataException)
        {
            // A client that sends no sizes but something else gets no more resizes.
            resize.StopReading();
        }
        catch (OperationCanceledException)
        {
            // The client is gone.
        }
        finally
        {
            sizes.Complete();
        }
    }
}
