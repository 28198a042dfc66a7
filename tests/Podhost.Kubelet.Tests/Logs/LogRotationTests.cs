using System.IO.Compression;
using System.Text;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;
using NSubstitute;
using Podhost.Cri.Services;
using Podhost.Cri.V1;
using Podhost.Kubelet.Logs;

namespace Podhost.Kubelet.Tests.Logs;

public sealed class LogRotationTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("podhost-logs-").FullName;
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 1, 2, 15, 4, 5, TimeSpan.Zero));
    private readonly IRuntimeService runtime = Substitute.For<IRuntimeService>();
    private readonly LogRotator rotator;
    private bool refuses;

    public LogRotationTests()
    {
        rotator = new LogRotator(runtime, 10, 3, time);
        runtime.ReopenContainerLogAsync(null!, default).ReturnsForAnyArgs(call =>
        {
            if (refuses)
            {
                throw new RpcException(new Grpc.Core.Status(StatusCode.Unavailable, "no"));
            }

            Assert.Equal("c1", call.Arg<ReopenContainerLogRequest>().ContainerId);
            File.AppendAllText(Log, "");
            return Task.FromResult(new ReopenContainerLogResponse());
        });
    }

    private string Log => Path.Combine(directory, "0.log");

    [Theory]
    [InlineData("", 5, "", "")]
    [InlineData("l.1", 5, "", "l.1")]
    [InlineData("l.3 l.1.gz l.2.gz", 5, "", "l.3")]
    [InlineData("l.4 l.1.gz l.2.gz l.3.gz", 5, "l.1.gz", "l.4")]
    [InlineData("l.2 l.1.gz", 2, "l.1.gz l.2", "")]
    [InlineData("l.1 l.1.gz l.2 l.2.gz.tmp", 5, "l.1 l.2.gz.tmp", "l.2")]
    public void Old_files_are_compressed_the_oldest_go_and_halves_are_thrown_away(string present, int maxFiles, string removed, string compressed)
    {
        var plan = LogRotationRules.Plan(present.Split(' ', StringSplitOptions.RemoveEmptyEntries), maxFiles);
        Assert.Equal((removed, compressed), (string.Join(' ', plan.Remove), string.Join(' ', plan.Compress)));
    }

    [Fact]
    public async Task A_log_that_is_too_large_gets_another_name_and_the_runtime_is_told()
    {
        await RotateAsync("short");
        Assert.Equal(["0.log"], Files());
        await RotateAsync("longer than ten\n");
        Assert.Equal(["0.log", "0.log.20260102-150405"], Files());
        Assert.Equal("", await File.ReadAllTextAsync(Log, TestContext.Current.CancellationToken));

        // Twice in one second: the first file is not overwritten.
        await RotateAsync("and again too long\n");
        Assert.Equal(["0.log", "0.log.20260102-150405"], Files());
        time.Advance(TimeSpan.FromSeconds(10));
        await RotateAsync("and again too long\n");
        Assert.Equal(["0.log", "0.log.20260102-150405.gz", "0.log.20260102-150415"], Files());
        Assert.Equal("longer than ten\n", await UnzipAsync("0.log.20260102-150405.gz"));
        time.Advance(TimeSpan.FromSeconds(10));
        await RotateAsync("and again too long\n");
        Assert.Equal(["0.log", "0.log.20260102-150415.gz", "0.log.20260102-150425"], Files());
    }

    [Fact]
    public async Task A_runtime_that_refuses_leaves_the_log_where_it_was()
    {
        refuses = true;
        await Assert.ThrowsAsync<RpcException>(() => RotateAsync("longer than ten\n"));
        Assert.Equal(["0.log"], Files());
        Assert.Equal("longer than ten\n", await File.ReadAllTextAsync(Log, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_log_that_is_gone_is_opened_anew()
    {
        await rotator.RotateAsync("c1", Log, TestContext.Current.CancellationToken);
        Assert.Equal(["0.log"], Files());
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    private async Task RotateAsync(string content)
    {
        await File.WriteAllTextAsync(Log, content, TestContext.Current.CancellationToken);
        await rotator.RotateAsync("c1", Log, TestContext.Current.CancellationToken);
    }

    private IEnumerable<string> Files() => Directory.GetFiles(directory).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal);

    private async Task<string> UnzipAsync(string name)
    {
        await using var zip = new GZipStream(File.OpenRead(Path.Combine(directory, name)), CompressionMode.Decompress);
        using var reader = new StreamReader(zip, Encoding.UTF8);
        return await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
    }
}
