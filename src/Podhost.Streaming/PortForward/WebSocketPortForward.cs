using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Net.WebSockets;
using System.Text;
using Podhost.Streaming.Contract;
using Podhost.Streaming.WebSockets;

namespace Podhost.Streaming.PortForward;

/// <summary>
/// Port-forward over WebSocket channels: for the n-th port of the request channel 2n carries data and 2n+1 errors, each begun with the port in
/// two bytes, little endian. One connection for each port.
/// </summary>
internal sealed class WebSocketPortForward
{
    /// <summary>Channel numbers are a byte, and two are needed for a port.</summary>
    public const int MaxPorts = 127;

    private readonly ChannelSocket socket;
    private readonly IStreamingBackend backend;
    private readonly string sandboxId;
    private readonly Forward[] forwards;

    public WebSocketPortForward(WebSocket webSocket, bool base64, IReadOnlyList<int> ports, IStreamingBackend backend, string sandboxId)
    {
        // The base64 protocols write a channel as one digit, which is enough for five ports.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ports.Count, base64 ? 5 : MaxPorts);
        socket = new ChannelSocket(webSocket, base64);
        this.backend = backend;
        this.sandboxId = sandboxId;
        forwards = [.. ports.Select((port, i) => new Forward(port, (byte)(2 * i)))];
    }

    /// <summary>Subprotocols, with true for the base64 one. Only the names of version 4 and the oldest are in use.</summary>
    public static bool? IsBase64(string subprotocol) => subprotocol switch
    {
        "" or "v4.channel.k8s.io" or "channel.k8s.io" => false,
        "v4.base64.channel.k8s.io" or "base64.channel.k8s.io" => true,
        _ => null,
    };

    /// <summary>Serves until all connections ended or the client is gone.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        foreach (var forward in forwards)
        {
            var port = new byte[2];
            BinaryPrimitives.WriteUInt16LittleEndian(port, (ushort)forward.Port);
            await socket.SendAsync(forward.DataChannel, port, stop.Token).ConfigureAwait(false);
            await socket.SendAsync(forward.ErrorChannel, port, stop.Token).ConfigureAwait(false);
        }

        var reading = ReadAsync(stop);
        try
        {
            await Task.WhenAll(forwards.Select(f => ForwardAsync(f, stop.Token))).ConfigureAwait(false);
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", stop.Token).ConfigureAwait(false);
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ReadAsync(CancellationTokenSource stop)
    {
        try
        {
            await socket.ReceiveAllAsync(OnDataAsync, stop.Token).ConfigureAwait(false);
        }
        finally
        {
            foreach (var forward in forwards)
            {
                await forward.Inbox.Writer.CompleteAsync().ConfigureAwait(false);
            }

            await stop.CancelAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask OnDataAsync(byte channel, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        if (channel % 2 == 0 && channel / 2 < forwards.Length)
        {
            await forwards[channel / 2].DeliverAsync(data, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ForwardAsync(Forward forward, CancellationToken cancellationToken)
    {
        var write = new ChannelWriteStream(socket, forward.DataChannel, cancellationToken);
        var duplex = new DuplexStream(forward.Inbox.Reader.AsStream(leaveOpen: true), write);
        try
        {
            await backend.PortForwardAsync(sandboxId, forward.Port, duplex, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            var message = Encoding.UTF8.GetBytes(PortForwardErrors.Message(forward.Port, sandboxId, e));
            await socket.SendAsync(forward.ErrorChannel, message, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            forward.StopReading();
        }
    }

    private sealed class Forward(int port, byte dataChannel)
    {
        private volatile bool discarding;

        public int Port { get; } = port;

        public byte DataChannel { get; } = dataChannel;

        public byte ErrorChannel => (byte)(DataChannel + 1);

        public Pipe Inbox { get; } = new(new PipeOptions(pauseWriterThreshold: 256 * 1024, resumeWriterThreshold: 128 * 1024, useSynchronizationContext: false));

        public async ValueTask DeliverAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
        {
            if (!discarding)
            {
                await Inbox.Writer.WriteAsync(data, cancellationToken).ConfigureAwait(false);
            }
        }

        public void StopReading()
        {
            discarding = true;
            Inbox.Writer.CancelPendingFlush();
        }
    }
}
