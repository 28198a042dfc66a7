using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Podhost.Streaming.Server;
using Podhost.Streaming.Tests.Support;

namespace Podhost.Streaming.Tests.Kubectl;

/// <summary>
/// The real kubectl, over WebSocket and over SPDY, an old one that knows SPDY only (<c>PODHOST_OLD_KUBECTL</c>), and WebSocket that is
/// translated to SPDY on the way, as before a runtime that knows no WebSocket.
/// </summary>
public sealed class KubectlTests : IAsyncLifetime
{
    private readonly FakeBackend backend = new();
    private StreamingServer streaming = null!;
    private FakeApiServer api = null!;

    public static TheoryData<string> Clients => new("websocket", "spdy", "old", "translated");

    public async ValueTask InitializeAsync()
    {
        streaming = new StreamingServer(backend, new StreamingServerOptions(), TimeProvider.System, NullLoggerFactory.Instance);
        await streaming.StartAsync(CancellationToken.None);
        api = await FakeApiServer.StartAsync(streaming);
    }

    public async ValueTask DisposeAsync()
    {
        await api.DisposeAsync();
        await streaming.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Exec_shows_both_outputs(string client)
    {
        var (code, stdout, stderr) = await RunAsync(client, ["exec", "web", "--", "both"]);
        Assert.Equal((0, "to stdout\n", "to stderr\n"), (code, stdout, stderr));
        Assert.Equal(SpeaksWebSocket(client) ? "websocket" : "SPDY/3.1", Assert.Single(api.Upgrades));
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Exec_returns_the_exit_code(string client)
    {
        var (code, _, stderr) = await RunAsync(client, ["exec", "web", "--", "exit", "42"]);
        Assert.Equal(42, code);
        Assert.Contains("command terminated with exit code 42", stderr);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Exec_half_closes_stdin(string client)
    {
        var input = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 100_000).Select(i => $"line {i}\n")));
        var (code, stdout, stderr) = await RunAsync(client, ["exec", "-i", "web", "--", "cat"], input);
        Assert.True(code == 0, stderr);
        Assert.Equal(Encoding.UTF8.GetString(input), stdout);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Exec_reads_input_to_its_end(string client)
    {
        var (code, stdout, stderr) = await RunAsync(client, ["exec", "-i", "web", "--", "count"], new byte[5_000_000]);
        Assert.True(code == 0, stderr);
        Assert.Equal("5000000\n", stdout);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Exec_carries_large_outputs(string client)
    {
        var (code, stdout, stderr) = await RunAsync(client, ["exec", "web", "--", "flood", "50000000"]);
        Assert.True(code == 0, stderr);
        Assert.Equal(50_000_000, stdout.Length);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Exec_ends_though_the_command_reads_no_input(string client)
    {
        var (code, stdout, _) = await RunAsync(client, ["exec", "-i", "web", "--", "deaf"], new byte[8_000_000]);
        Assert.Equal((7, "not listening\n"), (code, stdout));
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Exec_shows_the_failure_of_the_runtime(string client)
    {
        var (code, _, stderr) = await RunAsync(client, ["exec", "web", "--", "fail"]);
        Assert.Equal(1, code);
        Assert.Contains("no such file: c1", stderr);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Exec_with_a_terminal_sends_its_size(string client)
    {
        // script(1) gives kubectl a terminal of the size that stty sets.
        var command = string.Join(' ', Arguments(client, ["exec", "-it", "web", "--", "size"]).Prepend(Program(client)));
        var (_, stdout, stderr) = await Tool.RunAsync(
            "script", ["-qec", $"stty cols 97 rows 31; {command}", "/dev/null"], environment: Environment(client));
        Assert.True(stdout.Contains("97x31"), stdout + stderr);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task A_killed_client_cancels_the_command(string client)
    {
        using var process = Tool.Start(Program(client), Arguments(client, ["exec", "web", "--", "hang"]), Environment(client));
        Assert.Equal("hanging", await process.StandardOutput.ReadLineAsync());
        process.Kill();
        await backend.Cancelled.Task.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Attach_joins_the_process(string client)
    {
        var (code, stdout, stderr) = await RunAsync(client, ["attach", "-i", "web"], "hello\n"u8.ToArray());
        Assert.True(code == 0, stderr);
        Assert.Contains("attached c1 tty=False\nhello\n", stdout);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Port_forward_carries_many_connections(string client)
    {
        using var process = Tool.Start(Program(client), Arguments(client, ["port-forward", "web", ":80"]), Environment(client));
        try
        {
            var line = await process.StandardOutput.ReadLineAsync();
            Assert.NotNull(line);
            Assert.StartsWith("Forwarding from 127.0.0.1:", line);
            var port = int.Parse(line["Forwarding from 127.0.0.1:".Length..].Split(' ')[0]);
            var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => AskAsync(port, $"hello {i}\n\n")));
            Assert.All(answers.Index(), a => Assert.Equal($"HELLO {a.Index}\n\nbye from s1:80\n", a.Item));
            Assert.Equal(SpeaksWebSocket(client) ? "websocket" : "SPDY/3.1", Assert.Single(api.Upgrades));
        }
        finally
        {
            process.Kill();
        }
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Port_forward_shows_why_a_connection_failed(string client)
    {
        using var process = Tool.Start(Program(client), Arguments(client, ["port-forward", "web", ":9"]), Environment(client));
        try
        {
            var line = await process.StandardOutput.ReadLineAsync();
            var port = int.Parse(line!["Forwarding from 127.0.0.1:".Length..].Split(' ')[0]);
            Assert.Equal("", await AskAsync(port, "x"));
            var error = await process.StandardError.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(10));
            Assert.Contains("error forwarding port 9 to pod s1, uid : connection refused", error);
        }
        finally
        {
            process.Kill();
        }
    }

    private static async Task<string> AskAsync(int port, string text)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.UTF8.GetBytes(text));
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(10));
    }

    private static bool SpeaksWebSocket(string client) => client is "websocket" or "translated";

    private static string Program(string client)
    {
        if (client != "old")
        {
            return "kubectl";
        }

        var old = System.Environment.GetEnvironmentVariable("PODHOST_OLD_KUBECTL");
        Assert.SkipWhen(string.IsNullOrEmpty(old), "PODHOST_OLD_KUBECTL names no kubectl 1.20");
        return old!;
    }

    private IEnumerable<string> Arguments(string client, IEnumerable<string> arguments) => ["--kubeconfig=/dev/null", "--server=" + (client == "translated" ? api.TranslatedUrl : api.Url), "--cache-dir=/tmp/podhost-test-kubectl-" + client, .. arguments];

    private static Dictionary<string, string> Environment(string client) => new()
    {
        ["KUBECTL_REMOTE_COMMAND_WEBSOCKETS"] = SpeaksWebSocket(client) ? "true" : "false",
        ["KUBECTL_PORT_FORWARD_WEBSOCKETS"] = SpeaksWebSocket(client) ? "true" : "false",
    };

    private Task<(int ExitCode, string Stdout, string Stderr)> RunAsync(string client, IEnumerable<string> arguments, byte[]? stdin = null) =>
        Tool.RunAsync(Program(client), Arguments(client, arguments), stdin, Environment(client));
}
