using System.Text;
using System.Threading.Channels;
using CsCheck;
using Podhost.Kubelet.Server.Logs;

namespace Podhost.Kubelet.Tests.Server;

public sealed class LogReaderTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private readonly string directory = Directory.CreateTempSubdirectory("podhost-log-").FullName;
    private volatile bool running = true;

    private string LogPath => Path.Combine(directory, "0.log");

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [InlineData("2026-01-02T03:04:05.123456789Z stdout F hello", true, false, false, "hello")]
    [InlineData("2026-01-02T03:04:05.123456789+02:00 stderr P part", true, true, true, "part")]
    [InlineData("2026-01-02T03:04:05.123456789Z stdout F ", true, false, false, "")]
    [InlineData("2026-01-02T03:04:05.123456789Z stdout F", true, false, false, "")]
    [InlineData("2026-01-02T03:04:05.123456789Z stdout P:x a  b", true, false, true, "a  b")]
    [InlineData("2026-01-02T03:04:05.123456789Z stdlog F hello", false, false, false, "")]
    [InlineData("hello", false, false, false, "")]
    [InlineData("", false, false, false, "")]
    public void A_line_is_taken_apart(string text, bool valid, bool stderr, bool partial, string content)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Assert.Equal(valid, CriLogLine.TryParse(bytes, out var line));
        if (valid)
        {
            Assert.Equal((stderr, partial, content), (line.IsStderr, line.IsPartial, Encoding.UTF8.GetString(bytes[line.ContentStart..])));
            Assert.NotNull(line.Time);
        }
    }

    [Fact]
    public void Hostile_lines_are_refused_or_taken() =>
        Gen.OneOf(Gen.Byte.Array[0, 200], Gen.String[Gen.Char["2T: stdouerFP"], 0, 80].Select(Encoding.UTF8.GetBytes))
            .Sample(bytes => !CriLogLine.TryParse(bytes, out var line) || line.ContentStart <= bytes.Length, iter: 20_000);

    [Fact]
    public async Task Pieces_are_joined_and_streams_chosen()
    {
        await WriteAsync("1 stdout F one", "2 stdout P tw", "3 stderr F err", "4 stdout F o", "5 stdout F three");
        Assert.Equal("one\ntwerr\no\nthree\n", await ReadAsync(new LogOptions()));
        Assert.Equal("one\ntwo\nthree\n", await ReadAsync(new LogOptions { Stderr = false }));
        Assert.Equal("err\n", await ReadAsync(new LogOptions { Stderr = true }));
    }

    [Fact]
    public async Task Time_stamps_stand_before_whole_lines()
    {
        await WriteAsync("1 stdout P a", "2 stdout F b", "3 stdout F c");
        Assert.Equal("2026-01-02T03:04:01.000000000Z ab\n2026-01-02T03:04:03.000000000Z c\n", await ReadAsync(new LogOptions { Timestamps = true }));
        await File.WriteAllTextAsync(LogPath, "2026-01-02T03:04:01.123456789+00:00 stdout F a\n");
        Assert.Equal("2026-01-02T03:04:01.123456789Z a\n", await ReadAsync(new LogOptions { Timestamps = true }));
    }

    [Fact]
    public async Task Since_and_limit_cut()
    {
        await WriteAsync("1 stdout F one", "2 stdout F two", "3 stdout F three");
        Assert.Equal("two\nthree\n", await ReadAsync(new LogOptions { Since = new DateTimeOffset(2026, 1, 2, 3, 4, 2, TimeSpan.Zero) }));
        Assert.Equal("one\ntw", await ReadAsync(new LogOptions { LimitBytes = 6 }));
    }

    /// <summary>The tail of any log is the end of the whole of it.</summary>
    [Fact]
    public Task Tails_are_the_end_of_the_whole() =>
        Gen.Select(Gen.Select(Gen.Bool, Gen.Int[0, 70_000]).Array[0, 8], Gen.Int[0, 9]).SampleAsync(
            async (pieces, tail) =>
            {
                // A last piece that goes on would be an unfinished line: end with a finished one.
                var lines = pieces.Select((p, i) => $"{i % 10} stdout {(p.Item1 ? 'P' : 'F')} {new string((char)('a' + i), p.Item2)}").Append("9 stdout F end").ToArray();
                await WriteAsync(lines);
                var whole = (await ReadAsync(new LogOptions())).Split('\n')[..^1];
                var expected = string.Concat(whole.TakeLast(tail).Select(l => l + "\n"));
                Assert.Equal(expected, await ReadAsync(new LogOptions { TailLines = tail }));
            },
            iter: 60,
            threads: 1);

    [Fact]
    public async Task A_follower_sees_what_is_written_through_a_rotation_to_the_end()
    {
        await WriteAsync("1 stdout F one");
        var output = new ChannelOutput();
        var following = new LogReader(LogPath, () => running, TimeProvider.System).CopyAsync(new LogOptions { Follow = true }, output, CancellationToken.None);
        Assert.Equal("one\n", await output.NextAsync(4));

        await AppendAsync("2 stdout F two\n");
        Assert.Equal("two\n", await output.NextAsync(4));

        // A line that is written in two writes comes once, whole.
        var head = Line("3 stdout F three");
        await File.AppendAllTextAsync(LogPath, head[..30]);
        await File.AppendAllTextAsync(LogPath, head[30..] + "\n");
        Assert.Equal("three\n", await output.NextAsync(6));

        // Rotation: the writer goes on in the old file until it is told of the new one.
        using (var writer = new StreamWriter(new FileStream(LogPath, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete)))
        {
            File.Move(LogPath, LogPath + ".20260102");
            await writer.WriteLineAsync(Line("4 stdout F old file"));
        }

        Assert.Equal("old file\n", await output.NextAsync(9));
        await File.WriteAllTextAsync(LogPath, Line("5 stdout F new file") + "\n");
        Assert.Equal("new file\n", await output.NextAsync(9));

        await AppendAsync("6 stdout F last\n");
        running = false;
        await following.WaitAsync(Deadline);
        Assert.Equal("last\n", await output.NextAsync(5));
    }

    [Fact]
    public async Task A_follower_that_is_rotations_behind_reads_every_file_once()
    {
        await WriteAsync("1 stdout F one");
        using var slow = new SlowOutput();
        var following = new LogReader(LogPath, () => running, TimeProvider.System).CopyAsync(new LogOptions { Follow = true }, slow, CancellationToken.None);
        await slow.Asked.Task.WaitAsync(Deadline);

        // Three rotations while the client takes nothing; the second file is compressed, and a copy of the third is only half made.
        await RotateAsync("20260102-000001", "2 stdout F two");
        await RotateAsync("20260102-000002", "3 stdout F three");
        await RotateAsync("20260102-000003", "4 stdout F four");
        var second = LogPath + ".20260102-000002";
        await using (var zip = new System.IO.Compression.GZipStream(File.Create(second + ".gz"), System.IO.Compression.CompressionLevel.Fastest))
        {
            await zip.WriteAsync(await File.ReadAllBytesAsync(second));
        }

        File.Delete(second);
        await File.WriteAllTextAsync(LogPath + ".20260102-000003.gz.tmp", "half");
        running = false;
        slow.Go.SetResult();
        await following.WaitAsync(Deadline);
        Assert.Equal("one\ntwo\nthree\nfour\n", Encoding.UTF8.GetString(slow.ToArray()));
    }

    private async Task RotateAsync(string at, string line)
    {
        File.Move(LogPath, $"{LogPath}.{at}");
        await WriteAsync(line);
    }

    // Takes nothing before it may.
    private sealed class SlowOutput : MemoryStream
    {
        public TaskCompletionSource Asked { get; } = new();

        public TaskCompletionSource Go { get; } = new();

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Asked.TrySetResult();
            await Go.Task;
            Write(buffer.Span);
        }
    }

    [Fact]
    public async Task Following_a_container_that_has_ended_ends()
    {
        await WriteAsync("1 stdout F one");
        running = false;
        Assert.Equal("one\n", await ReadAsync(new LogOptions { Follow = true }));
    }

    [Fact]
    public async Task A_follower_whose_client_goes_ends()
    {
        await WriteAsync("1 stdout F one");
        using var gone = new CancellationTokenSource();
        var output = new ChannelOutput();
        var following = new LogReader(LogPath, () => true, TimeProvider.System).CopyAsync(new LogOptions { Follow = true }, output, gone.Token);
        await output.NextAsync(4);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following.WaitAsync(Deadline));
    }

    private static string Line(string text) => $"2026-01-02T03:04:0{text[0]}.000000000Z {text[2..]}";

    private Task WriteAsync(params string[] lines) => File.WriteAllTextAsync(LogPath, string.Concat(lines.Select(l => Line(l) + "\n")));

    private Task AppendAsync(string line) => File.AppendAllTextAsync(LogPath, Line(line));

    private async Task<string> ReadAsync(LogOptions options)
    {
        using var output = new MemoryStream();
        await new LogReader(LogPath, () => running, TimeProvider.System).CopyAsync(options, output, CancellationToken.None).WaitAsync(Deadline);
        return Encoding.UTF8.GetString(output.ToArray());
    }

    private sealed class ChannelOutput : MemoryStream
    {
        private readonly Channel<byte> bytes = Channel.CreateUnbounded<byte>();

        public async Task<string> NextAsync(int count)
        {
            var text = new byte[count];
            for (var i = 0; i < count; i++)
            {
                text[i] = await bytes.Reader.ReadAsync().AsTask().WaitAsync(Deadline);
            }

            return Encoding.UTF8.GetString(text);
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            foreach (var b in buffer.Span)
            {
                bytes.Writer.TryWrite(b);
            }

            return ValueTask.CompletedTask;
        }
    }
}
