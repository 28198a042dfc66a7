using System.Net;
using System.Net.Sockets;
using Google.Protobuf;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;
using NSubstitute;
using Podhost.Cri.Services;
using Podhost.Cri.V1;
using Podhost.Kubelet.Probes;

namespace Podhost.Kubelet.Tests.Probes;

public sealed class LifecycleHookRunnerTests
{
    private readonly FakeTimeProvider time = new();
    private readonly IRuntimeService runtime = Substitute.For<IRuntimeService>();
    private readonly V1Pod pod = new() { Metadata = new V1ObjectMeta { Name = "p", NamespaceProperty = "ns", Uid = "u" } };
    private readonly V1Container container = new() { Name = "app", Ports = [new V1ContainerPort { Name = "web", ContainerPort = 1 }] };

    [Fact]
    public async Task A_failed_command_is_told_with_its_output()
    {
        runtime.ExecSyncAsync(null!, default).ReturnsForAnyArgs(new ExecSyncResponse { ExitCode = 3, Stderr = ByteString.CopyFromUtf8("no") });
        var outcome = await RunAsync(new V1LifecycleHandler { Exec = new V1ExecAction { Command = ["a", "b"] } });
        Assert.Equal(
            new LifecycleHookOutcome(
                false, "Exec lifecycle hook ([a b]) for Container \"app\" in Pod \"p_ns(u)\" failed - error: command 'a b' exited with 3: no, message: \"no\""),
            outcome);
    }

    [Fact]
    public async Task A_command_is_waited_for_until_the_deadline_and_runs_on()
    {
        var command = new TaskCompletionSource<ExecSyncResponse>();
        runtime.ExecSyncAsync(null!, default).ReturnsForAnyArgs(command.Task);
        var exec = new V1LifecycleHandler { Exec = new V1ExecAction { Command = ["x"] } };
        using var cancel = new CancellationTokenSource();
        var limited = RunAsync(exec, time.GetUtcNow().AddSeconds(7));
        var cancelled = RunAsync(exec, cancellation: cancel.Token);
        var unlimited = RunAsync(exec);
        time.Advance(TimeSpan.FromSeconds(7));
        Assert.EndsWith("command 'x' did not end in time", (await limited).Message);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.False(unlimited.IsCompleted);
        command.SetResult(new ExecSyncResponse());
        Assert.True((await unlimited).Succeeded);
        await runtime.Received(3).ExecSyncAsync(Arg.Is<ExecSyncRequest>(r => r.Timeout == 0), CancellationToken.None);
    }

    [Fact]
    public async Task A_sleep_ends_by_itself_or_is_cut_short_by_the_deadline()
    {
        var sleep = new V1LifecycleHandler { Sleep = new V1SleepAction { Seconds = 5 } };
        var whole = RunAsync(sleep);
        var cut = RunAsync(sleep, time.GetUtcNow().AddSeconds(2));
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.False((await cut).Succeeded);
        Assert.False(whole.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(LifecycleHookOutcome.Success, await whole);
        Assert.Equal(LifecycleHookOutcome.Success, await RunAsync(new V1LifecycleHandler { Sleep = new V1SleepAction { Seconds = 0 } }));
    }

    [Fact]
    public async Task Cancellation_is_no_outcome()
    {
        using var cancel = new CancellationTokenSource();
        var run = RunAsync(new V1LifecycleHandler { Sleep = new V1SleepAction { Seconds = 5 } }, cancellation: cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
    }

    [Fact]
    public async Task Tcp_and_http_hooks_connect_to_the_pod()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        Assert.True((await RunAsync(new V1LifecycleHandler { TcpSocket = new V1TCPSocketAction { Port = port } })).Succeeded);
        using (await listener.AcceptTcpClientAsync())
        {
        }

        var http = RunAsync(new V1LifecycleHandler { HttpGet = new V1HTTPGetAction { Port = port, Path = "/stop" } });
        using (var client = await listener.AcceptTcpClientAsync())
        {
            using var reader = new StreamReader(client.GetStream(), leaveOpen: true);
            Assert.Equal("GET /stop HTTP/1.1", await reader.ReadLineAsync());
            while (await reader.ReadLineAsync() is { Length: > 0 })
            {
            }

            // Whatever the answer is: it is one.
            await client.GetStream().WriteAsync("HTTP/1.1 500 no\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
        }

        Assert.True((await http).Succeeded);
        listener.Stop();
        var refused = await RunAsync(new V1LifecycleHandler { HttpGet = new V1HTTPGetAction { Port = port, Path = "/stop" } });
        Assert.False(refused.Succeeded);
        Assert.Contains("connect: connection refused", refused.Message);
    }

    private Task<LifecycleHookOutcome> RunAsync(V1LifecycleHandler handler, DateTimeOffset? deadline = null, CancellationToken cancellation = default) =>
        new LifecycleHookRunner(runtime, time).RunAsync(pod, container, "id", "127.0.0.1", handler, deadline ?? DateTimeOffset.MaxValue, cancellation);
}
