using Podhost.Cri.Suite.Tests.Nodes;
using Podhost.Cri.V1;

namespace Podhost.Cri.Suite.Tests.Suite;

public sealed class EmbeddedLogTests(EmbeddedNode node) : LogTests(node);

public sealed class ContainerdLogTests(ContainerdNode node) : LogTests(node);

/// <summary>Container logs in CRI's format.</summary>
public abstract class LogTests(CriNode node) : CriSuite(node)
{
    [Fact]
    public async Task Lines_have_time_stream_and_tag()
    {
        await using var pod = await Node.RunAsync();
        var status = await pod.ExitedAsync(await pod.RunAsync("echo out; echo err >&2; printf partial"));
        Assert.StartsWith(pod.Config.LogDirectory, status.LogPath, StringComparison.Ordinal);
        var lines = File.ReadAllLines(status.LogPath);
        Assert.All(lines, line => Assert.True(DateTimeOffset.TryParse(line.Split(' ')[0], out _), line));
        Assert.Equal(new[] { "stderr F err", "stdout F out", "stdout P partial" }, lines.Select(line => line[(line.IndexOf(' ') + 1)..]).Where(line => !line.EndsWith("F ", StringComparison.Ordinal)).Order());
    }

    [Fact]
    public async Task A_line_longer_than_the_buffer_comes_in_pieces()
    {
        await using var pod = await Node.RunAsync();
        var status = await pod.ExitedAsync(await pod.RunAsync("head -c 100000 /dev/zero | tr '\\0' x; echo"));
        Assert.Equal(new string('x', 100_000) + "\n", Pod.Log(status));
        Assert.Contains(" stdout P ", File.ReadAllText(status.LogPath), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_log_goes_on_in_a_new_file_after_a_rotation()
    {
        await using var pod = await Node.RunAsync();
        var container = await pod.RunAsync("echo one; trap 'echo two; exit 0' USR1; while :; do sleep 0.05; done");
        var log = (await pod.StatusAsync(container)).LogPath;
        await CriNode.UntilAsync(() => Task.FromResult(File.Exists(log) ? File.ReadAllText(log) : ""), text => text.Contains("one", StringComparison.Ordinal));
        File.Move(log, log + ".1");
        await Node.Runtime.ReopenContainerLogAsync(new ReopenContainerLogRequest { ContainerId = container }, Cancel);
        Assert.True(File.Exists(log));
        await pod.ExecAsync(container, "kill -USR1 1");
        await pod.ExitedAsync(container);
        Assert.EndsWith("stdout F one\n", File.ReadAllText(log + ".1"), StringComparison.Ordinal);
        Assert.EndsWith("stdout F two\n", File.ReadAllText(log), StringComparison.Ordinal);
        await Assert.ThrowsAsync<Grpc.Core.RpcException>(() => Node.Runtime.ReopenContainerLogAsync(new ReopenContainerLogRequest { ContainerId = container }, Cancel));
    }

    [Fact]
    public async Task Containers_of_one_pod_have_logs_of_their_own()
    {
        await using var pod = await Node.RunAsync();
        var first = await pod.RunAsync("echo of the first; sleep 1000");
        var second = await pod.ExitedAsync(await pod.RunAsync("echo of the second"));
        var log = (await pod.StatusAsync(first)).LogPath;
        await CriNode.UntilAsync(() => Task.FromResult(File.Exists(log) ? File.ReadAllText(log) : ""), text => text.EndsWith("stdout F of the first\n", StringComparison.Ordinal));
        Assert.Equal("of the second\n", Pod.Log(second));
    }

    [Fact]
    public async Task A_terminals_output_is_stdout()
    {
        await using var pod = await Node.RunAsync();
        var status = await pod.ExitedAsync(await pod.RunAsync("echo out; echo err >&2", config => (config.Tty, config.Stdin) = (true, true)));
        Assert.Equal("out\nerr\n", Pod.Log(status).Replace("\r", "", StringComparison.Ordinal));
        Assert.DoesNotContain(" stderr ", File.ReadAllText(status.LogPath), StringComparison.Ordinal);
    }
}
