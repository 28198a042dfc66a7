using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Podhost.Streaming.Server;
using Podhost.Streaming.Tests.Support;

namespace Podhost.Streaming.Tests.Server;

public sealed class WebSocketSessionTests : IAsyncLifetime
{
    private static readonly CancellationToken Deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;
    private readonly FakeBackend backend = new();
    private StreamingServer server = null!;

    public async ValueTask InitializeAsync()
    {
        server = new StreamingServer(backend, new StreamingServerOptions(), TimeProvider.System, NullLoggerFactory.Instance);
        await server.StartAsync(CancellationToken.None);
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Version_5_half_closes_stdin_and_reports_success()
    {
        using var socket = await ConnectAsync(Exec(["cat"], stdin: true), "v5.channel.k8s.io");
        await SendAsync(socket, [0, .. "one "u8]);
        await SendAsync(socket, [0, .. "two"u8]);
        await SendAsync(socket, [255, 0]);
        var channels = await ReceiveAllAsync(socket);
        Assert.Equal("one two", channels[1]);
        Assert.Equal("""{"metadata":{},"status":"Success"}""", channels[3]);
        Assert.Equal(WebSocketCloseStatus.NormalClosure, socket.CloseStatus);
    }

    [Fact]
    public async Task Version_4_reports_the_exit_code_as_a_status()
    {
        using var socket = await ConnectAsync(Exec(["exit", "3"]), "v4.channel.k8s.io");
        var status = JsonNode.Parse((await ReceiveAllAsync(socket))[3])!;
        Assert.Equal("Failure", (string?)status["status"]);
        Assert.Equal("NonZeroExitCode", (string?)status["reason"]);
        Assert.Equal("ExitCode", (string?)status["details"]!["causes"]![0]!["reason"]);
        Assert.Equal("3", (string?)status["details"]!["causes"]![0]!["message"]);
    }

    [Fact]
    public async Task The_oldest_version_reports_failures_as_text_and_success_not_at_all()
    {
        using var good = await ConnectAsync(Exec(["both"], stderr: true), "channel.k8s.io");
        var channels = await ReceiveAllAsync(good);
        Assert.Equal(("to stdout\n", "to stderr\n"), (channels[1], channels[2]));
        Assert.DoesNotContain(3, channels.Keys);
        using var bad = await ConnectAsync(Exec(["exit", "3"]), "channel.k8s.io");
        Assert.Equal("command terminated with non-zero exit code: exit status 3", (await ReceiveAllAsync(bad))[3]);
    }

    [Fact]
    public async Task Base64_protocols_use_text_messages()
    {
        using var socket = await ConnectAsync(Exec(["echo", "hello"], stdin: true), "v4.base64.channel.k8s.io");
        var text = new StringBuilder();
        await foreach (var (message, type) in MessagesAsync(socket))
        {
            Assert.Equal(WebSocketMessageType.Text, type);
            if (message[0] == '1')
            {
                text.Append(Encoding.UTF8.GetString(Convert.FromBase64String(Encoding.ASCII.GetString(message, 1, message.Length - 1))));
            }
        }

        Assert.Equal("hello\n", text.ToString());
    }

    [Fact]
    public async Task A_client_that_vanishes_cancels_the_command()
    {
        using var socket = await ConnectAsync(Exec(["hang"]), "v5.channel.k8s.io");
        socket.Abort();
        await backend.Cancelled.Task.WaitAsync(Deadline);
    }

    [Fact]
    public async Task A_slow_reader_presses_back()
    {
        using var socket = await ConnectAsync(Exec(["flood", "100000000"]), "v5.channel.k8s.io");
        long before;
        do
        {
            before = backend.Flooded;
            await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System, Deadline);
        }
        while (before != backend.Flooded || before == 0);
        Assert.InRange(before, 1, 30_000_000);
        Assert.Equal(100_000_000, (await ReceiveAllAsync(socket))[1].Length);
    }

    [Fact]
    public async Task Port_forward_channels_begin_with_the_port()
    {
        using var socket = await ConnectAsync(server.GetPortForward("s1", [8080, 9]), "v4.channel.k8s.io");
        await SendAsync(socket, [0, .. "hello\n\n"u8]);
        var channels = await ReceiveAllAsync(socket, Encoding.Latin1);
        Assert.Equal("\u0090\u001fHELLO\n\nbye from s1:8080\n", channels[0]);
        Assert.Equal("\u0090\u001f", channels[1]);
        Assert.Equal("\u0009\0", channels[2]);
        Assert.Equal("\u0009\0error forwarding port 9 to pod s1, uid : connection refused", channels[3]);
    }

    [Fact]
    public async Task An_unknown_protocol_is_refused_with_those_that_are_known()
    {
        using var client = new HttpClient();
        using var request = Upgrade(Exec(["echo"]), "v9.channel.k8s.io");
        using var answer = await client.SendAsync(request, Deadline);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains("client supports [v9.channel.k8s.io], server accepts [v5.channel.k8s.io", await answer.Content.ReadAsStringAsync(Deadline));
    }

    [Fact]
    public async Task A_used_url_is_not_found()
    {
        var url = Exec(["echo", "x"]);
        using (var socket = await ConnectAsync(url, "v5.channel.k8s.io"))
        {
            await ReceiveAllAsync(socket);
        }

        using var client = new HttpClient();
        using var again = await client.SendAsync(Upgrade(url, "v5.channel.k8s.io"), Deadline);
        Assert.Equal(HttpStatusCode.NotFound, again.StatusCode);
    }

    [Fact]
    public async Task A_plain_request_is_told_to_upgrade()
    {
        using var client = new HttpClient();
        using var answer = await client.GetAsync(Exec(["echo"]), Deadline);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    private static HttpRequestMessage Upgrade(string url, string protocol)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Connection.Add("Upgrade");
        request.Headers.Upgrade.ParseAdd("websocket");
        request.Headers.Add("Sec-WebSocket-Version", "13");
        request.Headers.Add("Sec-WebSocket-Key", Convert.ToBase64String(new byte[16]));
        request.Headers.Add("Sec-WebSocket-Protocol", protocol);
        return request;
    }

    private static async Task<ClientWebSocket> ConnectAsync(string url, string protocol)
    {
        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol(protocol);
        await socket.ConnectAsync(new Uri(url.Replace("http:", "ws:")), Deadline);
        Assert.Equal(protocol, socket.SubProtocol);
        return socket;
    }

    private static Task SendAsync(WebSocket socket, byte[] message) => socket.SendAsync(message, WebSocketMessageType.Binary, true, Deadline);

    private static async Task<Dictionary<int, string>> ReceiveAllAsync(WebSocket socket, Encoding? encoding = null)
    {
        var channels = new Dictionary<int, MemoryStream>();
        await foreach (var (message, _) in MessagesAsync(socket))
        {
            if (!channels.TryGetValue(message[0], out var channel))
            {
                channels[message[0]] = channel = new MemoryStream();
            }

            channel.Write(message.AsSpan(1));
        }

        return channels.ToDictionary(c => c.Key, c => (encoding ?? Encoding.UTF8).GetString(c.Value.ToArray()));
    }

    private static async IAsyncEnumerable<(byte[] Message, WebSocketMessageType Type)> MessagesAsync(WebSocket socket)
    {
        var buffer = new byte[64 * 1024];
        using var message = new MemoryStream();
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(), Deadline);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", Deadline);
                yield break;
            }

            message.Write(buffer, 0, part.Count);
            if (part.EndOfMessage)
            {
                yield return (message.ToArray(), part.MessageType);
                message.SetLength(0);
            }
        }
    }

    private string Exec(string[] command, bool stdin = false, bool stderr = false) => server.GetExec("c1", command, false, stdin, true, stderr);
}
