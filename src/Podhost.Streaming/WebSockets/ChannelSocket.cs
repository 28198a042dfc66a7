using System.Buffers;
using System.Buffers.Text;
using System.Net.WebSockets;

namespace Podhost.Streaming.WebSockets;

/// <summary>The channel framing over a WebSocket: the first byte of a message (or digit, in base64 protocols) is the channel.</summary>
internal sealed class ChannelSocket(WebSocket socket, bool base64) : IDisposable
{
    /// <summary>Longest base64 message, which must be whole to be decoded; binary ones are handed on in pieces.</summary>
    private const int MaxBase64Message = 256 * 1024;

    private const int MaxSent = 32 * 1024;
    private readonly SemaphoreSlim turn = new(1, 1);

    /// <summary>Takes a piece of a channel's data. An awaited call presses back on the client.</summary>
    public delegate ValueTask DataHandler(byte channel, ReadOnlyMemory<byte> data, CancellationToken cancellationToken);

    /// <summary>Sends data, cut into messages of bounded length; empty data sends one empty message.</summary>
    public async Task SendAsync(byte channel, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        do
        {
            var n = Math.Min(data.Length, MaxSent);
            await SendOneAsync(channel, data[..n], cancellationToken).ConfigureAwait(false);
            data = data[n..];
        }
        while (!data.IsEmpty);
    }

    /// <summary>Starts the closing handshake.</summary>
    public async Task CloseOutputAsync(WebSocketCloseStatus status, string description, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await socket.CloseOutputAsync(status, description, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Reads until the client closes.</summary>
    /// <exception cref="WebSocketException">The connection broke.</exception>
    /// <exception cref="InvalidDataException">A message is malformed.</exception>
    public async Task ReceiveAllAsync(DataHandler onData, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxSent + 1];
        while (true)
        {
            var first = await socket.ReceiveAsync(buffer.AsMemory(), cancellationToken).ConfigureAwait(false);
            if (first.MessageType == WebSocketMessageType.Close)
            {
                return;
            }

            if (base64)
            {
                await ReceiveBase64Async(buffer, first, onData, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                await ReceiveBinaryAsync(buffer, first, onData, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public void Dispose() => socket.Dispose();

    private async Task ReceiveBinaryAsync(byte[] buffer, ValueWebSocketReceiveResult part, DataHandler onData, CancellationToken cancellationToken)
    {
        while (part.Count == 0 && !part.EndOfMessage)
        {
            part = await socket.ReceiveAsync(buffer.AsMemory(), cancellationToken).ConfigureAwait(false);
        }

        if (part.Count == 0)
        {
            return;
        }

        var channel = buffer[0];
        await onData(channel, buffer.AsMemory(1, part.Count - 1), cancellationToken).ConfigureAwait(false);
        while (!part.EndOfMessage)
        {
            part = await socket.ReceiveAsync(buffer.AsMemory(), cancellationToken).ConfigureAwait(false);
            await onData(channel, buffer.AsMemory(0, part.Count), cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ReceiveBase64Async(byte[] buffer, ValueWebSocketReceiveResult part, DataHandler onData, CancellationToken cancellationToken)
    {
        var message = new ArrayBufferWriter<byte>(part.Count + 1);
        message.Write(buffer.AsSpan(0, part.Count));
        while (!part.EndOfMessage)
        {
            part = await socket.ReceiveAsync(buffer.AsMemory(), cancellationToken).ConfigureAwait(false);
            message.Write(buffer.AsSpan(0, part.Count));
            if (message.WrittenCount > MaxBase64Message)
            {
                throw new InvalidDataException("base64 message too long");
            }
        }

        if (message.WrittenCount == 0)
        {
            return;
        }

        var channel = message.WrittenSpan[0];
        var decoded = new byte[Base64.GetMaxDecodedFromUtf8Length(message.WrittenCount)];
        if (channel is < (byte)'0' or > (byte)'9'
            || Base64.DecodeFromUtf8(message.WrittenSpan[1..], decoded, out _, out var n) != OperationStatus.Done)
        {
            throw new InvalidDataException("malformed base64 message");
        }

        await onData((byte)(channel - '0'), decoded.AsMemory(0, n), cancellationToken).ConfigureAwait(false);
    }

    private async Task SendOneAsync(byte channel, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        var size = 1 + (base64 ? Base64.GetMaxEncodedToUtf8Length(data.Length) : data.Length);
        var message = ArrayPool<byte>.Shared.Rent(size);
        try
        {
            if (base64)
            {
                message[0] = (byte)('0' + channel);
                Base64.EncodeToUtf8(data.Span, message.AsSpan(1), out _, out var n);
                size = n + 1;
            }
            else
            {
                message[0] = channel;
                data.Span.CopyTo(message.AsSpan(1));
            }

            await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                var type = base64 ? WebSocketMessageType.Text : WebSocketMessageType.Binary;
                await socket.SendAsync(message.AsMemory(0, size), type, endOfMessage: true, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                turn.Release();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(message);
        }
    }
}
