using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using Grpc.Core;
using Podhost.Cri.Suite.Tests.Nodes;
using Podhost.Cri.V1;
using Podhost.Streaming.Contract;
using Podhost.Streaming.Proxy;

namespace Podhost.Cri.Suite.Tests.Suite;

public sealed class EmbeddedStreamingTests(EmbeddedNode node) : StreamingTests(node);

public sealed class ContainerdStreamingTests(ContainerdNode node) : StreamingTests(node);

/// <summary>ExecSync, and the URLs of exec, attach and port-forward, over SPDY and WebSocket.</summary>
public abstract class StreamingTests(CriNode node) : CriSuite(node)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task ExecSync_gives_both_outputs_and_the_exit_code()
    {
        await using var pod = await Node.RunAsync();
        var container = await pod.RunAsync("sleep 1000");
        var response = await pod.TryExecAsync(container, "echo out; echo err >&2; exit 4");
        Assert.Equal((4, "out\n", "err\n"), (response.ExitCode, response.Stdout.ToStringUtf8(), response.Stderr.ToStringUtf8()));
        await FailsAsync(StatusCode.NotFound, () => pod.TryExecAsync("never-was", "true"));
    }

    [Fact]
    public async Task ExecSync_past_its_deadline_is_killed()
    {
        await using var pod = await Node.RunAsync();
        var container = await pod.RunAsync("sleep 1000");
        var failure = await Assert.ThrowsAsync<RpcException>(() => pod.TryExecAsync(container, "sleep 778", timeout: 1));
        Assert.Equal(Differs(StatusCode.DeadlineExceeded, StatusCode.DeadlineExceeded, "the same: kubelets tell a probe's timeout by it"), failure.StatusCode);
        await CriNode.UntilAsync(() => pod.ExecAsync(container, "ps -o args"), list => !list.Contains("\nsleep 778", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Exec_over_SPDY_carries_input_output_and_the_exit_code()
    {
        await using var pod = await Node.RunAsync();
        var container = await pod.RunAsync("sleep 1000");
        var request = new ExecRequest { ContainerId = container, Stdin = true, Stdout = true, Stderr = true };
        request.Cmd.AddRange(["/bin/sh", "-c", "cat; echo problem >&2; exit 6"]);
        var (output, error) = (new MemoryStream(), new MemoryStream());
        await using var session = await SpdyAsync((await Node.Runtime.ExecAsync(request, Cancel)).Url);
        var code = await session.ExecAsync("", [], false, new SessionStreams(Input("typed\n"), output, error, null), Cancel).WaitAsync(Patience, Cancel);
        Assert.Equal((6, "typed\n", "problem\n"), (code, Text(output), Text(error)));
    }

    [Fact]
    public async Task Exec_over_WebSocket_carries_output_and_the_status()
    {
        await using var pod = await Node.RunAsync();
        var container = await pod.RunAsync("sleep 1000");
        var request = new ExecRequest { ContainerId = container, Stdout = true, Stderr = true };
        request.Cmd.AddRange(["/bin/sh", "-c", "echo out; exit 7"]);
        using var socket = new ClientWebSocket();
        // What both know; version 5 is the embedded runtime's alone.
        socket.Options.AddSubProtocol(Differs("v5.channel.k8s.io", "v4.channel.k8s.io", "containerd 1.6 knows WebSocket up to version 4: the kubelet translates to SPDY"));
        await socket.ConnectAsync(new Uri((await Node.Runtime.ExecAsync(request, Cancel)).Url.Replace("http:", "ws:", StringComparison.Ordinal)), Cancel);
        var channels = await ReceiveAsync(socket);
        Assert.Equal("out\n", channels[1]);
        Assert.Contains("\"message\":\"7\"", channels[3], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_streaming_URL_is_used_once()
    {
        await using var pod = await Node.RunAsync();
        var container = await pod.RunAsync("sleep 1000");
        var request = new ExecRequest { ContainerId = container, Stdout = true };
        request.Cmd.Add("true");
        var url = (await Node.Runtime.ExecAsync(request, Cancel)).Url;
        await using (var session = await SpdyAsync(url))
        {
            Assert.Equal(0, await session.ExecAsync("", [], false, new SessionStreams(null, new MemoryStream(), null, null), Cancel).WaitAsync(Patience, Cancel));
        }

        await using var again = await SpdyAsync(url);
        await Assert.ThrowsAnyAsync<IOException>(() => again.ExecAsync("", [], false, new SessionStreams(null, new MemoryStream(), null, null), Cancel).WaitAsync(Patience, Cancel));
    }

    [Fact]
    public async Task Streams_that_cannot_be_are_refused()
    {
        await using var pod = await Node.RunAsync();
        var container = await pod.RunAsync("sleep 1000");
        var none = new ExecRequest { ContainerId = container, Cmd = { "true" } };
        await Assert.ThrowsAsync<RpcException>(() => Node.Runtime.ExecAsync(none, Cancel));
        var both = new ExecRequest { ContainerId = container, Cmd = { "true" }, Tty = true, Stderr = true, Stdout = true };
        await Assert.ThrowsAsync<RpcException>(() => Node.Runtime.ExecAsync(both, Cancel));
        await FailsAsync(StatusCode.NotFound, () => Node.Runtime.AttachAsync(new AttachRequest { ContainerId = "never-was", Stdout = true }, Cancel));
        await FailsAsync(StatusCode.NotFound, () => Node.Runtime.PortForwardAsync(new PortForwardRequest { PodSandboxId = "never-was", Port = { 80 } }, Cancel));
    }

    [Fact]
    public async Task A_terminal_has_one_output_and_the_size_that_is_sent()
    {
        await using var pod = await Node.RunAsync();
        var container = await pod.RunAsync("sleep 1000");
        var request = new ExecRequest { ContainerId = container, Tty = true, Stdin = true, Stdout = true };
        request.Cmd.AddRange(["/bin/sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10; do [ \"$(stty size 2>/dev/null)\" = '33 101' ] && echo seen && exit 0; sleep 0.2; done; exit 1"]);
        var sizes = System.Threading.Channels.Channel.CreateUnbounded<TerminalSize>();
        sizes.Writer.TryWrite(new TerminalSize(101, 33));
        var output = new MemoryStream();
        await using var session = await SpdyAsync((await Node.Runtime.ExecAsync(request, Cancel)).Url);
        // An input that does not end: its end would be the end of the terminal.
        var code = await session.ExecAsync("", [], true, new SessionStreams(new EndlessInput(), output, null, sizes.Reader), Cancel).WaitAsync(Patience, Cancel);
        Assert.Equal((0, "seen\r\n"), (code, Text(output)));
    }

    [Fact]
    public async Task Attach_joins_the_main_process()
    {
        await using var pod = await Node.RunAsync();
        var container = await pod.RunAsync("read line; echo \"got $line\"; cat; echo end", config => (config.Stdin, config.StdinOnce) = (true, true));
        var request = new AttachRequest { ContainerId = container, Stdin = true, Stdout = true, Stderr = true };
        var output = new MemoryStream();
        await using var session = await SpdyAsync((await Node.Runtime.AttachAsync(request, Cancel)).Url);
        await session.AttachAsync("", false, new SessionStreams(Input("one\ntwo\n"), output, new MemoryStream(), null), Cancel).WaitAsync(Patience, Cancel);
        Assert.Equal("got one\ntwo\nend\n", Text(output));
        Assert.Equal(0, (await pod.ExitedAsync(container)).ExitCode);
    }

    [Fact]
    public async Task Ports_are_forwarded_to_the_pods_localhost()
    {
        await using var pod = await Node.RunAsync();
        var container = await pod.RunAsync("echo page > /tmp/index.html; exec httpd -f -p 127.0.0.1:8081 -h /tmp");
        await CriNode.UntilAsync(() => pod.TryExecAsync(container, "wget -q -O - http://127.0.0.1:8081/"), response => response.ExitCode == 0);
        var url = (await Node.Runtime.PortForwardAsync(new PortForwardRequest { PodSandboxId = pod.Id, Port = { 8081 } }, Cancel)).Url;
        await using var session = await SpdyAsync(url);
        foreach (var _ in Enumerable.Range(0, 3))
        {
            var conversation = new Conversation("GET / HTTP/1.0\r\n\r\n");
            await session.PortForwardAsync("", 8081, conversation, Cancel).WaitAsync(Patience, Cancel);
            Assert.EndsWith("page\n", conversation.Received, StringComparison.Ordinal);
        }

        var failure = await Assert.ThrowsAnyAsync<IOException>(() => session.PortForwardAsync("", 9, new Conversation(""), Cancel).WaitAsync(Patience, Cancel));
        Assert.Contains("port 9", failure.Message, StringComparison.Ordinal);
        Assert.Contains("refused", failure.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Ports_that_were_not_named_before_are_forwarded_on_the_nodes_network_too()
    {
        var port = Podhost.Tests.Shared.Loopback.FreePort();
        await using var pod = await Node.RunAsync(config =>
        {
            config.Linux.SecurityContext.NamespaceOptions.Network = NamespaceMode.Node;
            config.PortMappings.Add(new PortMapping { ContainerPort = port });
            config.Hostname = "";
        });
        var container = await pod.RunAsync($"echo page > /tmp/index.html; exec httpd -f -p 127.0.0.1:{port} -h /tmp");
        await CriNode.UntilAsync(() => pod.TryExecAsync(container, $"wget -q -O - http://127.0.0.1:{port}/"), response => response.ExitCode == 0);
        await using var session = await SpdyAsync((await Node.Runtime.PortForwardAsync(new PortForwardRequest { PodSandboxId = pod.Id }, Cancel)).Url);
        var conversation = new Conversation("GET / HTTP/1.0\r\n\r\n");
        await session.PortForwardAsync("", port, conversation, Cancel).WaitAsync(Patience, Cancel);
        Assert.EndsWith("page\n", conversation.Received, StringComparison.Ordinal);
    }

    private static Task<SpdyUpstream> SpdyAsync(string url) => Task.FromResult(new SpdyUpstream(new Uri(url), TimeProvider.System));

    private static MemoryStream Input(string text) => new(Encoding.UTF8.GetBytes(text));

    private static string Text(MemoryStream stream) => Encoding.UTF8.GetString(stream.ToArray());

    private static async Task<Dictionary<int, string>> ReceiveAsync(ClientWebSocket socket)
    {
        var channels = new Dictionary<int, string>();
        var buffer = new byte[64 * 1024];
        var limit = Stopwatch.StartNew();
        while (limit.Elapsed < Patience)
        {
            var part = await socket.ReceiveAsync(buffer, Cancel);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                break;
            }

            channels[buffer[0]] = channels.GetValueOrDefault(buffer[0], "") + Encoding.UTF8.GetString(buffer, 1, part.Count - 1);
        }

        return channels;
    }

    /// <summary>Nothing is typed, and it does not end.</summary>
    private sealed class EndlessInput : MemoryStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            return 0;
        }

        public override async Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken) =>
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
    }

    /// <summary>What a client says, and what it hears.</summary>
    private sealed class Conversation(string says) : MemoryStream(Encoding.UTF8.GetBytes(says))
    {
        private readonly MemoryStream _heard = new();

        public string Received => Text(_heard);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => _heard.WriteAsync(buffer, cancellationToken);
    }
}
