using System.Globalization;
using System.Text;
using Podhost.Streaming.Contract;
using Podhost.Streaming.PortForward;
using Podhost.Streaming.RemoteCommand;
using Podhost.Streaming.Spdy;

namespace Podhost.Streaming.Proxy;

/// <summary>A session of another streaming server, reached by its one-time URL over SPDY: what to run, where, is in the URL.</summary>
internal sealed class SpdyUpstream(Uri target, TimeProvider time) : IStreamingBackend, IAsyncDisposable
{
    private const int MaxError = 64 * 1024;
    private readonly CancellationTokenSource lifetime = new();
    private readonly SemaphoreSlim dialing = new(1, 1);
    private SpdyConnection? connection;
    private Task reading = Task.CompletedTask;
    private string protocol = "";
    private int requests;

    public Task<int> ExecAsync(string containerId, IReadOnlyList<string> command, bool tty, SessionStreams streams, CancellationToken cancellationToken) =>
        RunAsync(streams, cancellationToken);

    public Task AttachAsync(string containerId, bool tty, SessionStreams streams, CancellationToken cancellationToken) => RunAsync(streams, cancellationToken);

    public async Task PortForwardAsync(string sandboxId, int port, Stream stream, CancellationToken cancellationToken)
    {
        var spdy = await ConnectAsync([SpdyPortForward.Protocol], cancellationToken).ConfigureAwait(false);
        var id = Interlocked.Increment(ref requests).ToString(CultureInfo.InvariantCulture);
        var error = await OpenAsync(spdy, PortHeaders("error", port, id), cancellationToken).ConfigureAwait(false);
        await error.CloseWriteAsync(cancellationToken).ConfigureAwait(false);
        var data = await OpenAsync(spdy, PortHeaders("data", port, id), cancellationToken).ConfigureAwait(false);
        await using (data.ConfigureAwait(false))
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var failing = ReadErrorAsync(error, stop.Token);
            var up = PumpInputAsync(stream, data, stop.Token);
            await data.CopyToAsync(stream, stop.Token).ConfigureAwait(false);
            var failure = await failing.ConfigureAwait(false);
            await stop.CancelAsync().ConfigureAwait(false);
            await up.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (failure.Length > 0)
            {
                throw new ForwardedErrorException(failure);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await lifetime.CancelAsync().ConfigureAwait(false);
        if (connection is not null)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
        }

        await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        dialing.Dispose();
        lifetime.Dispose();
    }

    private static SpdyHeaders PortHeaders(string type, int port, string id) => new SpdyHeaders()
        .Add("streamtype", type).Add("port", port.ToString(CultureInfo.InvariantCulture)).Add("requestid", id);

    private async Task<int> RunAsync(SessionStreams streams, CancellationToken cancellationToken)
    {
        var spdy = await ConnectAsync([.. RemoteCommandProtocol.Spdy.Select(p => p.Name)], cancellationToken).ConfigureAwait(false);
        var version = RemoteCommandProtocol.Spdy.FirstOrDefault(p => p.Name == protocol) ?? RemoteCommandProtocol.Unversioned;
        // All are opened before anything flows: a server does not read its input before it has them all, and then not the next SYN_STREAM either.
        var error = (await OpenIfAsync(true, spdy, "error", cancellationToken).ConfigureAwait(false))!;
        var stdin = await OpenIfAsync(streams.Stdin is not null, spdy, "stdin", cancellationToken).ConfigureAwait(false);
        var stdout = await OpenIfAsync(streams.Stdout is not null, spdy, "stdout", cancellationToken).ConfigureAwait(false);
        var stderr = await OpenIfAsync(streams.Stderr is not null, spdy, "stderr", cancellationToken).ConfigureAwait(false);
        var resize = await OpenIfAsync(streams.Resizes is not null && version.Resizes, spdy, "resize", cancellationToken).ConfigureAwait(false);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task[] inputs =
        [
            stdin is null ? Task.CompletedTask : PumpInputAsync(streams.Stdin!, stdin, stop.Token),
            resize is null ? Task.CompletedTask : PumpSizesAsync(streams.Resizes!, resize, stop.Token),
        ];
        Task[] outputs =
        [
            stdout is null ? Task.CompletedTask : PumpOutputAsync(stdout, streams.Stdout!, stop.Token),
            stderr is null ? Task.CompletedTask : PumpOutputAsync(stderr, streams.Stderr!, stop.Token),
        ];
        await Task.WhenAll(outputs).ConfigureAwait(false);
        var outcome = await ReadErrorAsync(error, cancellationToken).ConfigureAwait(false);
        await stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(inputs).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return RemoteOutcome.ExitCode(outcome, version.JsonStatus);
    }

    private static async Task<SpdyStream?> OpenIfAsync(bool wanted, SpdyConnection spdy, string type, CancellationToken cancellationToken) =>
        wanted ? await OpenAsync(spdy, new SpdyHeaders().Add("streamtype", type), cancellationToken).ConfigureAwait(false) : null;

    private async Task<SpdyConnection> ConnectAsync(IReadOnlyList<string> offered, CancellationToken cancellationToken)
    {
        await dialing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (connection is null)
            {
                (connection, protocol) = await SpdyDialer.DialAsync(target, offered, time, cancellationToken).ConfigureAwait(false);
                reading = connection.RunAsync(lifetime.Token);
            }

            return connection;
        }
        finally
        {
            dialing.Release();
        }
    }

    private static async Task<SpdyStream> OpenAsync(SpdyConnection spdy, SpdyHeaders headers, CancellationToken cancellationToken)
    {
        var stream = await spdy.OpenAsync(headers, cancellationToken).ConfigureAwait(false);
        await stream.Replied.WaitAsync(cancellationToken).ConfigureAwait(false);
        return stream;
    }

    private static async Task PumpInputAsync(Stream source, SpdyStream destination, CancellationToken cancellationToken)
    {
        try
        {
            await source.CopyToAsync(destination, cancellationToken).ConfigureAwait(false);
            await destination.CloseWriteAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // The command takes no more input; its outcome follows.
        }
    }

    private static async Task PumpOutputAsync(SpdyStream source, Stream sink, CancellationToken cancellationToken)
    {
        await source.CopyToAsync(sink, cancellationToken).ConfigureAwait(false);
        try
        {
            await source.CloseWriteAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // The runtime has said everything and hung up: nobody waits for our end of the stream.
        }
    }

    private static async Task PumpSizesAsync(System.Threading.Channels.ChannelReader<TerminalSize> sizes, SpdyStream destination, CancellationToken cancellationToken)
    {
        await foreach (var size in sizes.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            var json = string.Create(CultureInfo.InvariantCulture, $$"""{"Width":{{size.Width}},"Height":{{size.Height}}}""");
            await destination.WriteAsync(Encoding.UTF8.GetBytes(json + "\n"), cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<string> ReadErrorAsync(SpdyStream error, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxError];
        var length = 0;
        int n;
        while (length < buffer.Length && (n = await error.ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false)) > 0)
        {
            length += n;
        }

        return Encoding.UTF8.GetString(buffer, 0, length);
    }
}
