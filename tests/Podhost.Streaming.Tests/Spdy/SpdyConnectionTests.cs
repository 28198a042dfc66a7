using System.Buffers.Binary;
using System.Text;
using CsCheck;
using Microsoft.Extensions.Time.Testing;
using Podhost.Streaming.Spdy;
using Podhost.Streaming.Tests.Support;

namespace Podhost.Streaming.Tests.Spdy;

public sealed class SpdyConnectionTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Streams_carry_data_both_ways_and_half_close()
    {
        await using var ends = await Ends.StartAsync();
        var stream = await ends.Client.OpenAsync(new SpdyHeaders().Add("streamtype", "stdin"), default);
        var accepted = await ends.Server.Incoming.ReadAsync();
        Assert.Equal("stdin", accepted.Headers["StreamType"]);
        await accepted.AcceptAsync(default);
        await stream.Replied.WaitAsync(Deadline);

        await stream.WriteAsync("hello"u8.ToArray());
        await stream.CloseWriteAsync(default);
        Assert.Equal("hello", await TextAsync(accepted));
        await accepted.WriteAsync("answer"u8.ToArray());
        await accepted.CloseWriteAsync(default);
        Assert.Equal("answer", await TextAsync(stream));
        Assert.Equal(0, ends.Server.StreamCount);
    }

    [Fact]
    public Task Any_traffic_arrives_whole_and_in_order() =>
        Gen.Select(Gen.Int[0, 4], Gen.Byte.Array[0, 3000]).Array[1, 60].SampleAsync(CarryAsync, iter: 20, threads: 1);

    [Fact]
    public async Task A_slow_reader_presses_back_and_memory_stays_bounded()
    {
        await using var ends = await Ends.StartAsync();
        var stream = await ends.Client.OpenAsync(new SpdyHeaders().Add("streamtype", "stdin"), default);
        var accepted = await ends.Server.Incoming.ReadAsync();
        var chunk = new byte[64 * 1024];
        long written = 0;
        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < 1600; i++)
            {
                await stream.WriteAsync(chunk);
                Interlocked.Add(ref written, chunk.Length);
            }

            await stream.CloseWriteAsync(default);
        });

        // The writer comes to a halt: its progress stops although it has 100 MB to send.
        long before;
        do
        {
            before = Interlocked.Read(ref written);
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, CancellationToken.None);
        }
        while (before != Interlocked.Read(ref written));
        Assert.False(writing.IsCompleted);
        Assert.InRange(before, 1, 30_000_000);

        Assert.Equal(1600L * chunk.Length, (await BytesAsync(accepted)).LongLength);
        await writing.WaitAsync(Deadline);
    }

    [Fact]
    public async Task Another_stream_works_on_after_one_is_dropped_unread()
    {
        await using var ends = await Ends.StartAsync();
        var full = await ends.Client.OpenAsync(new SpdyHeaders().Add("n", "full"), default);
        var fullServer = await ends.Server.Incoming.ReadAsync();
        var writing = WriteMuchAsync(full);
        await fullServer.DisposeAsync();
        await writing.WaitAsync(Deadline);
        var other = await ends.Client.OpenAsync(new SpdyHeaders().Add("n", "other"), default);
        var otherServer = await ends.Server.Incoming.ReadAsync().AsTask().WaitAsync(Deadline);
        await other.WriteAsync("x"u8.ToArray());
        await other.CloseWriteAsync(default);
        Assert.Equal("x", await TextAsync(otherServer));

        static async Task WriteMuchAsync(SpdyStream stream)
        {
            for (var i = 0; i < 200; i++)
            {
                await stream.WriteAsync(new byte[64 * 1024]);
            }
        }
    }

    [Fact]
    public async Task A_vanished_peer_ends_all_streams()
    {
        await using var ends = await Ends.StartAsync();
        await ends.Client.OpenAsync(new SpdyHeaders().Add("n", "1"), default);
        var accepted = await ends.Server.Incoming.ReadAsync();
        await ends.Client.DisposeAsync();
        Assert.Equal(0, await accepted.ReadAsync(new byte[1]).AsTask().WaitAsync(Deadline));
        await ends.ServerRun.WaitAsync(Deadline);
        await Assert.ThrowsAsync<IOException>(async () => await accepted.WriteAsync(new byte[1]));
    }

    [Fact]
    public async Task Pings_are_answered_and_sent()
    {
        var time = new FakeTimeProvider();
        var (client, server) = await Pair.ConnectAsync();
        await using var connection = new SpdyConnection(server, isServer: true, new SpdyLimits(), time);
        var run = connection.RunAsync(default);
        byte[] ping = [0x80, 3, 0, 6, 0, 0, 0, 4, 0, 0, 0, 7];
        await client.WriteAsync(ping);
        var answer = new byte[12];
        await client.ReadExactlyAsync(answer).AsTask().WaitAsync(Deadline);
        Assert.Equal(ping, answer);

        time.Advance(TimeSpan.FromSeconds(30));
        await client.ReadExactlyAsync(answer).AsTask().WaitAsync(Deadline);
        Assert.Equal([0x80, 3, 0, 6, 0, 0, 0, 4, 0, 0, 0, 2], answer);
        await client.DisposeAsync();
        await run.WaitAsync(Deadline);
    }

    [Fact]
    public async Task Streams_over_the_bound_are_refused()
    {
        await using var ends = await Ends.StartAsync(new SpdyLimits { MaxStreams = 2 });
        for (var i = 0; i < 2; i++)
        {
            await ends.Client.OpenAsync(new SpdyHeaders().Add("n", "x"), default);
        }

        var third = await ends.Client.OpenAsync(new SpdyHeaders().Add("n", "x"), default);
        await Assert.ThrowsAsync<IOException>(() => third.Replied.WaitAsync(Deadline));
    }

    [Theory]
    [InlineData("80030001000f4241", "control frame of 1000001 bytes")] // length over the bound
    [InlineData("8002000100000004", "SPDY version 2 instead of 3")]
    [InlineData("0000000000000001", "data frame of stream 0")]
    [InlineData("80030001000000040000000a", "short SYN_STREAM")]
    [InlineData("800300030000000400000001", "RST_STREAM of a wrong length")]
    [InlineData("80030006000000", "the connection ended inside a frame")]
    public async Task A_broken_frame_ends_the_connection(string hex, string message)
    {
        var (client, server) = await Pair.ConnectAsync();
        await using var connection = new SpdyConnection(server, isServer: true, new SpdyLimits(), TimeProvider.System);
        var run = connection.RunAsync(default);
        await client.WriteAsync(Convert.FromHexString(hex));
        await client.FlushAsync();
        ((System.Net.Sockets.NetworkStream)client).Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        var e = await Assert.ThrowsAsync<SpdyProtocolException>(() => run.WaitAsync(Deadline));
        Assert.Equal(message, e.Message);
    }

    [Fact]
    public Task Hostile_bytes_never_hang_or_crash_the_connection() =>
        Gen.OneOf(Gen.Byte.Array[0, 400], Frames).SampleAsync(
            async bytes =>
            {
                using var wire = new DuplexMemory(bytes);
                await using var connection = new SpdyConnection(wire, isServer: true, new SpdyLimits(), TimeProvider.System);
                try
                {
                    await connection.RunAsync(default).WaitAsync(Deadline);
                }
                catch (SpdyProtocolException)
                {
                    // The only failure there may be.
                }
            },
            iter: 5000,
            threads: 1);

    /// <summary>Sequences of frames that are nearly right: right heads, random payloads.</summary>
    private static Gen<byte[]> Frames { get; } = Gen.Select(Gen.Int[0, 9], Gen.Byte, Gen.Byte.Array[0, 60], Gen.Bool).Array[1, 8].Select(frames =>
    {
        var bytes = new MemoryStream();
        foreach (var (type, flags, payload, data) in frames)
        {
            var head = new byte[8];
            if (data)
            {
                SpdyFrameHeader.WriteData(head, 1 + (2 * type), (SpdyFlags)flags, payload.Length);
            }
            else
            {
                SpdyFrameHeader.WriteControl(head, (SpdyFrameType)type, (SpdyFlags)flags, payload.Length);
            }

            bytes.Write(head);
            bytes.Write(payload);
        }

        return bytes.ToArray();
    });

    private static async Task CarryAsync((int Stream, byte[] Data)[] writes)
    {
        await using var ends = await Ends.StartAsync();
        var sent = Enumerable.Range(0, 5).Select(_ => new MemoryStream()).ToArray();
        var streams = new SpdyStream[5];
        var received = new Task<byte[]>[5];
        for (var i = 0; i < 5; i++)
        {
            streams[i] = await ends.Client.OpenAsync(new SpdyHeaders().Add("n", i.ToString()), default);
            received[i] = BytesAsync(await ends.Server.Incoming.ReadAsync());
        }

        foreach (var (i, data) in writes)
        {
            sent[i].Write(data);
            await streams[i].WriteAsync(data);
        }

        foreach (var stream in streams)
        {
            await stream.CloseWriteAsync(default);
        }

        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(sent[i].ToArray(), await received[i].WaitAsync(Deadline));
        }
    }

    private static async Task<byte[]> BytesAsync(Stream stream)
    {
        using var all = new MemoryStream();
        await stream.CopyToAsync(all).WaitAsync(Deadline);
        return all.ToArray();
    }

    private static async Task<string> TextAsync(Stream stream) => Encoding.UTF8.GetString(await BytesAsync(stream));

    private sealed class Ends : IAsyncDisposable
    {
        public required SpdyConnection Client { get; init; }

        public required SpdyConnection Server { get; init; }

        public required Task ClientRun { get; init; }

        public required Task ServerRun { get; init; }

        public static async Task<Ends> StartAsync(SpdyLimits? limits = null)
        {
            var (c, s) = await Pair.ConnectAsync();
            var client = new SpdyConnection(c, isServer: false, new SpdyLimits(), TimeProvider.System);
            var server = new SpdyConnection(s, isServer: true, limits ?? new SpdyLimits(), TimeProvider.System);
            return new Ends { Client = client, Server = server, ClientRun = client.RunAsync(default), ServerRun = server.RunAsync(default) };
        }

        public async ValueTask DisposeAsync()
        {
            await Client.DisposeAsync();
            await Server.DisposeAsync();
            await Task.WhenAll(ClientRun, ServerRun).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private sealed class DuplexMemory(byte[] input) : MemoryStream(input)
    {
        public override bool CanWrite => true;

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;
    }
}
