using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Grpc.Core;
using Podhost.Cri.V1;
using Podhost.Streaming.Contract;

namespace Podhost.Runtime.Tests.Containers;

public sealed class ExecTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_command_gives_its_output_and_exit_code()
    {
        await using var node = await RuntimeNode.StartAsync();
        var container = await SleeperAsync(node);
        var response = await ExecAsync(node, container, 10, "/bin/sh", "-c", "echo out; echo err >&2; exit 4");
        Assert.Equal((4, "out\n", "err\n"), (response.ExitCode, response.Stdout.ToStringUtf8(), response.Stderr.ToStringUtf8()));
        var failure = await Assert.ThrowsAsync<RpcException>(() => ExecAsync(node, container, 10, "/no/such"));
        Assert.Contains("/no/such", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_past_its_deadline_is_killed_with_its_children()
    {
        await using var node = await RuntimeNode.StartAsync();
        var container = await SleeperAsync(node);
        var watch = Stopwatch.StartNew();
        var failure = await Assert.ThrowsAsync<RpcException>(() => ExecAsync(node, container, 1, "/bin/sh", "-c", "sleep 777 & sleep 777"));
        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20));
        Assert.DoesNotContain("sleep 777", await node.ExecAsync(container, "ps -o args | cat"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Output_beyond_the_bound_is_dropped_and_the_command_still_ends()
    {
        await using var node = await RuntimeNode.StartAsync();
        var container = await SleeperAsync(node);
        var response = await ExecAsync(node, container, 60, "/bin/sh", "-c", "head -c 20000000 /dev/zero");
        Assert.Equal((0, 16 << 20), (response.ExitCode, response.Stdout.Length));
    }

    [Fact]
    public async Task A_streamed_command_reads_its_input_to_the_end()
    {
        await using var node = await RuntimeNode.StartAsync();
        var container = await SleeperAsync(node);
        var output = new MemoryStream();
        var code = await node.Backend.ExecAsync(container, ["/bin/sh", "-c", "cat; exit 9"], false, new SessionStreams(Input("hello"), output, new MemoryStream(), null), Cancel).WaitAsync(Patience, Cancel);
        Assert.Equal((9, "hello"), (code, Encoding.UTF8.GetString(output.ToArray())));
    }

    [Fact]
    public async Task A_terminal_has_the_size_that_the_client_tells()
    {
        await using var node = await RuntimeNode.StartAsync();
        var container = await SleeperAsync(node);
        var output = new MemoryStream();
        var sizes = Channel.CreateUnbounded<TerminalSize>();
        sizes.Writer.TryWrite(new TerminalSize(101, 33));
        var script = "for i in 1 2 3 4 5 6 7 8 9 10; do [ \"$(stty size 2>/dev/null)\" = '33 101' ] && echo seen && exit 6; sleep 0.1; done; stty size; exit 1";
        var code = await node.Backend.ExecAsync(container, ["/bin/sh", "-c", script], true, new SessionStreams(null, output, null, sizes.Reader), Cancel).WaitAsync(Patience, Cancel);
        Assert.Equal((6, "seen\r\n"), (code, Encoding.UTF8.GetString(output.ToArray())));
    }

    [Fact]
    public async Task A_terminal_gives_all_output_and_takes_input_of_any_length()
    {
        await using var node = await RuntimeNode.StartAsync();
        var container = await SleeperAsync(node);
        var output = new MemoryStream();
        var input = string.Concat(Enumerable.Repeat(new string('x', 99) + "\n", 2000)) + "end\n";
        const string Script = "stty -echo; echo ready; n=0; while read line && [ \"$line\" != end ]; do n=$((n+1)); done; echo $n; seq 1 20000; kill -9 $$";
        var code = await node.Backend.ExecAsync(container, ["/bin/sh", "-c", Script], true, new SessionStreams(Input(input), output, null, null), Cancel).WaitAsync(Patience, Cancel);
        var text = Encoding.UTF8.GetString(output.ToArray());
        Assert.Equal(137, code);
        Assert.EndsWith("\r\n2000\r\n" + string.Concat(Enumerable.Range(1, 20000).Select(number => $"{number}\r\n")), text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_terminal_for_a_program_that_is_not_there_is_refused_with_the_reason()
    {
        await using var node = await RuntimeNode.StartAsync();
        var container = await SleeperAsync(node);
        var failure = await Assert.ThrowsAsync<IOException>(() => node.Backend.ExecAsync(
            container, ["/no/such"], true, new SessionStreams(null, new MemoryStream(), null, null), Cancel).WaitAsync(Patience, Cancel));
        Assert.Contains("/no/such", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_is_gone_takes_its_command_with_it(bool tty)
    {
        await using var node = await RuntimeNode.StartAsync();
        var container = await SleeperAsync(node);
        using var gone = new CancellationTokenSource();
        var session = node.Backend.ExecAsync(container, ["sleep", "888"], tty, new SessionStreams(null, new MemoryStream(), null, null), gone.Token);
        await node.ExecAsync(container, LifecycleTests.Retry("ps -o args | grep -q '^sleep 888'"));
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => session.WaitAsync(Patience, Cancel));
        await node.ExecAsync(container, LifecycleTests.Retry("! ps -o args | grep -q '^sleep 888'"));
    }

    [Fact]
    public async Task Attach_joins_the_main_process_and_half_close_ends_its_input()
    {
        await using var node = await RuntimeNode.StartAsync();
        var sandbox = await node.RunSandboxAsync();
        var container = await node.RunAsync(sandbox, "read line; echo \"got $line\"; cat; echo end", config => (config.Stdin, config.StdinOnce) = (true, true));
        var output = new MemoryStream();
        await node.Backend.AttachAsync(container, false, new SessionStreams(Input("one\ntwo\n"), output, new MemoryStream(), null), Cancel).WaitAsync(Patience, Cancel);
        Assert.Equal("got one\ntwo\nend\n", Encoding.UTF8.GetString(output.ToArray()));
        Assert.Equal(0, (await node.WaitForExitAsync(container)).ExitCode);
    }

    [Fact]
    public async Task A_port_of_the_pod_is_forwarded_by_localhost()
    {
        await using var node = await RuntimeNode.StartAsync();
        var sandbox = await node.RunSandboxAsync();
        var container = await node.RunAsync(sandbox, "echo page > /tmp/index.html; exec httpd -f -p 127.0.0.1:8081 -h /tmp");
        await node.ExecAsync(container, LifecycleTests.Retry("wget -q -O - http://127.0.0.1:8081/"));
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var client = new TcpClient();
        var accepting = listener.AcceptTcpClientAsync(Cancel);
        await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint, Cancel);
        using var accepted = await accepting;
        var forwarding = node.Backend.PortForwardAsync(sandbox, 8081, accepted.GetStream(), Cancel);
        var stream = client.GetStream();
        await stream.WriteAsync("GET / HTTP/1.0\r\n\r\n"u8.ToArray(), Cancel);
        client.Client.Shutdown(SocketShutdown.Send);
        await forwarding.WaitAsync(Patience, Cancel);
        accepted.Close();
        using var reader = new StreamReader(stream);
        Assert.EndsWith("page\n", await reader.ReadToEndAsync(Cancel), StringComparison.Ordinal);
        await Assert.ThrowsAsync<IOException>(() => node.Backend.PortForwardAsync(sandbox, 9, new MemoryStream(), Cancel));
    }

    [Fact]
    public async Task Streaming_URLs_are_given_for_running_containers_only()
    {
        await using var node = await RuntimeNode.StartAsync();
        var container = await SleeperAsync(node);
        var request = new ExecRequest { ContainerId = container, Stdout = true };
        request.Cmd.Add("true");
        Assert.StartsWith("http://127.0.0.1:", (await node.Cri.ExecAsync(request, Cancel)).Url, StringComparison.Ordinal);
        await node.Cri.StopContainerAsync(new StopContainerRequest { ContainerId = container }, Cancel);
        var failure = await Assert.ThrowsAsync<RpcException>(() => node.Cri.ExecAsync(request, Cancel));
        Assert.Equal(StatusCode.FailedPrecondition, failure.StatusCode);
    }

    private static MemoryStream Input(string text) => new(Encoding.UTF8.GetBytes(text));

    private static async Task<string> SleeperAsync(RuntimeNode node) => await node.RunAsync(await node.RunSandboxAsync(), "sleep 1000");

    private static Task<ExecSyncResponse> ExecAsync(RuntimeNode node, string container, int timeout, params string[] command)
    {
        var request = new ExecSyncRequest { ContainerId = container, Timeout = timeout };
        request.Cmd.AddRange(command);
        return node.Cri.ExecSyncAsync(request, Cancel);
    }
}
