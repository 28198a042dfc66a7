using System.Buffers.Text;
using System.IO.Pipelines;
using System.Net.WebSockets;
using Podhost.Streaming.Contract;
using Podhost.Streaming.WebSockets;

namespace Podhost.Streaming.RemoteCommand;

/// <summary>Exec and attach over WebSocket: each message carries its channel's number in front (0 stdin, 1 stdout, 2 stderr, 3 error, 4 resize).</summary>
internal sealed class WebSocketRemoteCommand : IRemoteCommandConnection
{
    private const byte Stdin = 0;
    private const byte Stdout = 1;
    private const byte Stderr = 2;
    private const byte Error = 3;
    private const byte Resize = 4;
    private const byte Close = 255;

    private readonly ChannelSocket socket;
    private readonly RemoteCommandProtocol protocol;
    private readonly CancellationTokenSource gone;
    private readonly Pipe? stdin;
    private readonly TerminalSizeReader? sizes;
    private readonly TimeProvider time;
    private readonly Task reading;
    private volatile bool finishing;

    private WebSocketRemoteCommand(WebSocket webSocket, RemoteCommandProtocol protocol, StreamSelection selection, TimeProvider time, CancellationToken cancellationToken)
    {
        this.protocol = protocol;
        this.time = time;
        socket = new ChannelSocket(webSocket, protocol.Base64);
        gone = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        ClientGone = gone.Token;
        stdin = selection.Stdin ? new Pipe(new PipeOptions(pauseWriterThreshold: 256 * 1024, resumeWriterThreshold: 128 * 1024, useSynchronizationContext: false)) : null;
        sizes = selection.Tty && protocol.Resizes ? new TerminalSizeReader() : null;
        Streams = new SessionStreams(
            stdin?.Reader.AsStream(leaveOpen: true),
            selection.Stdout ? new ChannelWriteStream(socket, Stdout, ClientGone) : null,
            selection.Stderr ? new ChannelWriteStream(socket, Stderr, ClientGone) : null,
            sizes?.Sizes);
        reading = ReadAsync();
    }

    public SessionStreams Streams { get; }

    public CancellationToken ClientGone { get; }

    /// <summary>Starts a session on an accepted WebSocket.</summary>
    public static async Task<WebSocketRemoteCommand> StartAsync(
        WebSocket webSocket, RemoteCommandProtocol protocol, StreamSelection selection, TimeProvider time, CancellationToken cancellationToken)
    {
        var session = new WebSocketRemoteCommand(webSocket, protocol, selection, time, cancellationToken);

        // An empty message on the lowest channel the client reads tells it that the session stands.
        var first = selection.Stdout ? Stdout : selection.Stderr ? Stderr : Error;
        await session.socket.SendAsync(first, ReadOnlyMemory<byte>.Empty, cancellationToken).ConfigureAwait(false);
        return session;
    }

    public async Task FinishAsync(RemoteCommandStatus status, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, ClientGone);
        var encoded = status.Encode(protocol.JsonStatus);
        if (encoded.Length > 0)
        {
            await socket.SendAsync(Error, encoded, either.Token).ConfigureAwait(false);
        }

        finishing = true;
        stdin?.Writer.CancelPendingFlush();
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", either.Token).ConfigureAwait(false);
        await reading.WaitAsync(RemoteCommandSession.Linger, time, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await gone.CancelAsync().ConfigureAwait(false);
        socket.Dispose();
        await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        gone.Dispose();
    }

    private async Task ReadAsync()
    {
        try
        {
            await socket.ReceiveAllAsync(OnDataAsync, ClientGone).ConfigureAwait(false);
        }
        catch (Exception e) when (e is WebSocketException or IOException or InvalidDataException or OperationCanceledException or ObjectDisposedException)
        {
            // A vanished client and one that breaks the protocol end alike: the command is cancelled.
        }
        finally
        {
            if (stdin is not null)
            {
                await stdin.Writer.CompleteAsync().ConfigureAwait(false);
            }

            sizes?.Complete();
            await gone.CancelAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask OnDataAsync(byte channel, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        if (channel == Stdin && stdin is not null && !finishing && !stdinClosed)
        {
            var flushed = await stdin.Writer.WriteAsync(data, cancellationToken).ConfigureAwait(false);
            stdinClosed = flushed.IsCompleted;
        }
        else if (channel == Resize && sizes is not null)
        {
            sizes.Append(data.Span);
        }
        else if (channel == Close && protocol.CloseSignal && data.Length == 1 && data.Span[0] == Stdin && stdin is not null)
        {
            stdinClosed = true;
            await stdin.Writer.CompleteAsync().ConfigureAwait(false);
        }
    }

    private bool stdinClosed;
}
