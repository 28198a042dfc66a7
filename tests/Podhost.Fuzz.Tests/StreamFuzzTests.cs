using System.Buffers.Binary;
using Podhost.Streaming.Spdy;

namespace Podhost.Fuzz.Tests;

/// <summary>What a client may send on an upgraded connection.</summary>
public sealed class StreamFuzzTests
{
    [Fact]
    public void SpdyFrames() => Fuzzer.Run(
        "SPDY frames",
        4000,
        [Conversation()],
        ["\x80\x03\0\x01", "\x80\x03\0\x06", "\0\0\0\x01"],
        input => ReadAsync(input).GetAwaiter().GetResult(),
        e => e is SpdyProtocolException or IOException);

    [Fact]
    public void SpdyHeaderBlocks() => Fuzzer.Run(
        "SPDY header block",
        20_000,
        [new SpdyHeaderEncoder().Encode(new SpdyHeaders().Add("streamtype", "stdin").Add("port", "80"))],
        ["\0\0\0\x01", "\xff\xff\xff\xff"],
        input => new SpdyHeaderDecoder(new SpdyLimits()).Decode(input),
        e => e is SpdyProtocolException);

    /// <summary>Opens two streams, sends data, half-closes, pings, resets, goes away.</summary>
    private static byte[] Conversation()
    {
        var encoder = new SpdyHeaderEncoder();
        var bytes = new List<byte>();
        foreach (var id in (int[])[1, 3])
        {
            var block = encoder.Encode(new SpdyHeaders().Add("streamtype", id == 1 ? "error" : "stdin"));
            bytes.AddRange(Control(1, 0, [.. Number(id), .. Number(0), 0, 0, .. block]));
        }

        bytes.AddRange([.. Number(3), 0, .. Number(5)[1..], .. "hello"u8]);
        bytes.AddRange([.. Number(3), 1, .. Number(0)[1..]]);
        bytes.AddRange(Control(6, 0, Number(1)));
        bytes.AddRange(Control(9, 0, [.. Number(1), .. Number(65536)]));
        bytes.AddRange(Control(3, 0, [.. Number(1), .. Number(5)]));
        bytes.AddRange(Control(7, 0, [.. Number(0), .. Number(0)]));
        return [.. bytes];
    }

    private static byte[] Control(int type, byte flags, byte[] payload) => [0x80, 3, 0, (byte)type, flags, .. Number(payload.Length)[1..], .. payload];

    private static byte[] Number(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }

    private static async Task ReadAsync(byte[] input)
    {
        await using var connection = new SpdyConnection(new OneWay(input), isServer: true, new SpdyLimits(), TimeProvider.System);
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(10), TimeProvider.System);
        var taking = TakeAsync(connection, deadline.Token);
        try
        {
            await connection.RunAsync(deadline.Token);
        }
        finally
        {
            await taking;
        }
    }

    private static async Task TakeAsync(SpdyConnection connection, CancellationToken cancellationToken)
    {
        var readers = new List<Task>();
        await foreach (var stream in connection.Incoming.ReadAllAsync(cancellationToken))
        {
            try
            {
                await stream.AcceptAsync(cancellationToken);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                // The connection is over already.
                continue;
            }

            readers.Add(DrainAsync(stream, cancellationToken));
        }

        await Task.WhenAll(readers);
    }

    private static async Task DrainAsync(Stream stream, CancellationToken cancellationToken)
    {
        try
        {
            await stream.CopyToAsync(Stream.Null, cancellationToken);
        }
        catch (IOException)
        {
            // Reset, or the connection broke.
        }
    }

    /// <summary>A peer that says what it has to say and listens to nothing.</summary>
    private sealed class OneWay(byte[] input) : MemoryStream(input, writable: false)
    {
        public override bool CanWrite => true;

        public override void Write(byte[] buffer, int offset, int count)
        {
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;
    }
}
