using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;
using NSubstitute;
using Podhost.Cri.Services;
using Podhost.Cri.V1;
using Podhost.Kubelet.Events;
using Podhost.Kubelet.Probes;

namespace Podhost.Kubelet.Tests.Probes;

/// <summary>Workers on a clock of the test, with exec probes whose outcomes the test gives.</summary>
public sealed class ProbeManagerTests : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly IRuntimeService runtime = Substitute.For<IRuntimeService>();
    private readonly Recorder events = new();
    private readonly Channel<DateTimeOffset> attempts = Channel.CreateUnbounded<DateTimeOffset>();
    private readonly Channel<ProbeReport> reports = Channel.CreateUnbounded<ProbeReport>();
    private readonly ProbeManager manager;
    private readonly DateTimeOffset start;
    private Func<ExecSyncRequest, CancellationToken, Task<ExecSyncResponse>> exec = (_, _) => Exit(0);

    public ProbeManagerTests()
    {
        start = time.GetUtcNow();
        runtime.ExecSyncAsync(null!, default).ReturnsForAnyArgs(call =>
        {
            attempts.Writer.TryWrite(time.GetUtcNow());
            return exec(call.Arg<ExecSyncRequest>(), call.Arg<CancellationToken>());
        });
        manager = new ProbeManager(runtime, events, r => reports.Writer.TryWrite(r), new ProbeManagerOptions(), time, new Random(1));
    }

    public ValueTask DisposeAsync() => manager.DisposeAsync();

    [Fact]
    public async Task Attempts_come_at_the_initial_delay_and_then_each_period_to_the_millisecond()
    {
        manager.Sync("u", [Target(ProbeKind.Readiness, new V1Probe { InitialDelaySeconds = 5, PeriodSeconds = 10 })]);
        var seen = new List<double>();
        for (var i = 0; i < 3; i++)
        {
            seen.Add((await NextAttemptAsync() - start).TotalMilliseconds);
        }

        Assert.Equal([5000, 15000, 25000], seen);
    }

    [Fact]
    public async Task Failures_are_events_at_once_and_a_report_at_the_threshold()
    {
        exec = (_, _) => Exit(1, "broken");
        manager.Sync("u", [Target(ProbeKind.Readiness, new V1Probe { PeriodSeconds = 1, FailureThreshold = 3 })]);
        for (var i = 0; i < 3; i++)
        {
            await NextAttemptAsync();
        }

        var report = await ReportAsync();
        Assert.Equal(new ProbeReport("u", "app", "id", ProbeKind.Readiness, ProbeResult.Failure, "broken"), report);
        Assert.Equal(3, events.All.Count(e => e == "spec.containers{app} Warning Unhealthy Readiness probe failed: broken"));

        exec = (_, _) => Exit(0);
        await NextAttemptAsync();
        Assert.Equal(ProbeResult.Success, (await ReportAsync()).Result);
        Assert.Equal(time.GetUtcNow(), start.AddSeconds(3));
    }

    [Fact]
    public async Task A_liveness_probe_ends_with_its_failure_until_there_is_a_new_instance()
    {
        exec = (_, _) => Exit(1);
        var probe = new V1Probe { PeriodSeconds = 1, FailureThreshold = 1 };
        manager.Sync("u", [Target(ProbeKind.Liveness, probe)]);
        await NextAttemptAsync();
        Assert.Equal(ProbeResult.Failure, (await ReportAsync()).Result);
        manager.Sync("u", [Target(ProbeKind.Liveness, probe)]);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(attempts.Reader.TryRead(out _));

        manager.Sync("u", [Target(ProbeKind.Liveness, probe) with { ContainerId = "id2", StartedAt = time.GetUtcNow() }]);
        await NextAttemptAsync();
        Assert.Equal("id2", (await ReportAsync()).ContainerId);
    }

    [Fact]
    public async Task A_startup_probe_ends_with_success()
    {
        manager.Sync("u", [Target(ProbeKind.Startup, new V1Probe { PeriodSeconds = 1 })]);
        await NextAttemptAsync();
        Assert.Equal(ProbeResult.Success, (await ReportAsync()).Result);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(attempts.Reader.TryRead(out _));
    }

    [Fact]
    public async Task An_equal_target_is_left_alone_and_a_removed_one_is_cancelled()
    {
        var cancelled = new TaskCompletionSource();
        exec = async (_, ct) =>
        {
            await using var registration = ct.Register(() => cancelled.TrySetResult());
            await Task.Delay(Timeout.InfiniteTimeSpan, time, ct);
            throw new InvalidOperationException();
        };
        var target = Target(ProbeKind.Readiness, new V1Probe { PeriodSeconds = 1 });
        manager.Sync("u", [target]);
        await NextAttemptAsync();
        manager.Sync("u", [target with { Pod = Pod() }]);
        Assert.False(cancelled.Task.IsCompleted);
        manager.Remove("u");
        await cancelled.Task.WaitAsync(Deadline);
        Assert.False(reports.Reader.TryRead(out _));
    }

    [Fact]
    public async Task A_timeout_is_a_failure()
    {
        exec = (_, _) => throw new RpcException(new Grpc.Core.Status(StatusCode.DeadlineExceeded, "late"));
        manager.Sync("u", [Target(ProbeKind.Liveness, new V1Probe { FailureThreshold = 1, TimeoutSeconds = 2 })]);
        await NextAttemptAsync();
        var report = await ReportAsync();
        Assert.Equal(ProbeResult.Failure, report.Result);
        Assert.Equal("command timed out: \"check it\" timed out after 2s", report.Message);
        await runtime.Received().ExecSyncAsync(Arg.Is<ExecSyncRequest>(r => r.Timeout == 2 && r.ContainerId == "id"), Arg.Any<CancellationToken>());
    }

    [Fact]
    public async Task An_attempt_that_does_not_work_is_tried_three_times_and_changes_nothing()
    {
        exec = (_, _) => throw new RpcException(new Grpc.Core.Status(StatusCode.NotFound, "no such container"));
        manager.Sync("u", [Target(ProbeKind.Liveness, new V1Probe { FailureThreshold = 1, PeriodSeconds = 1 })]);
        for (var i = 0; i < 6; i++)
        {
            await NextAttemptAsync();
        }

        Assert.Equal(start.AddSeconds(1), time.GetUtcNow());
        Assert.Contains(
            "spec.containers{app} Warning Unhealthy Liveness probe errored and resulted in unknown state: rpc error: code = NotFound desc = no such container", events.All);
        Assert.False(reports.Reader.TryRead(out _));
    }

    [Fact]
    public async Task A_named_port_that_does_not_exist_is_an_error_not_a_failure()
    {
        var probe = new V1Probe { TcpSocket = new V1TCPSocketAction { Port = "http" }, FailureThreshold = 1 };
        manager.Sync("u", [Target(ProbeKind.Liveness, probe, exec: false)]);
        await events.Added.Reader.ReadAsync().AsTask().WaitAsync(Deadline);
        Assert.Contains("Liveness probe errored and resulted in unknown state: strconv.Atoi: parsing \"http\": invalid syntax", Assert.Single(events.All));
        Assert.Equal(1, Assert.Single(manager.Counts()).Unknown);
    }

    private static Task<ExecSyncResponse> Exit(int code, string output = "") =>
        Task.FromResult(new ExecSyncResponse { ExitCode = code, Stdout = ByteString.CopyFromUtf8(output) });

    private static V1Pod Pod() => new()
    {
        Metadata = new V1ObjectMeta { Name = "p", NamespaceProperty = "default", Uid = "u" },
        Spec = new V1PodSpec { Containers = [new V1Container { Name = "app" }] },
    };

    private ProbeTarget Target(ProbeKind kind, V1Probe probe, bool exec = true)
    {
        if (exec)
        {
            probe.Exec = new V1ExecAction { Command = ["check", "it"] };
        }

        var container = new V1Container { Name = "app" };
        container.LivenessProbe = kind == ProbeKind.Liveness ? probe : null;
        container.ReadinessProbe = kind == ProbeKind.Readiness ? probe : null;
        container.StartupProbe = kind == ProbeKind.Startup ? probe : null;
        return new ProbeTarget(Pod(), container, kind, "id", "127.0.0.1", start);
    }

    /// <summary>Moves the clock in steps of 500 ms until an attempt comes; workers that are not waiting yet catch up by themselves.</summary>
    private async Task<DateTimeOffset> NextAttemptAsync()
    {
        using var limit = new CancellationTokenSource(Deadline);
        for (var steps = 0; ; steps++)
        {
            using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
            try
            {
                return await attempts.Reader.ReadAsync(soon.Token);
            }
            catch (OperationCanceledException)
            {
                limit.Token.ThrowIfCancellationRequested();
                time.Advance(TimeSpan.FromMilliseconds(500));
            }
        }
    }

    private async Task<ProbeReport> ReportAsync() => await reports.Reader.ReadAsync().AsTask().WaitAsync(Deadline);

    private sealed class Recorder : IEventRecorder
    {
        public List<string> All { get; } = [];

        public Channel<string> Added { get; } = Channel.CreateUnbounded<string>();

        public void Record(V1ObjectReference about, string type, string reason, string message, IReadOnlyDictionary<string, string>? annotations = null)
        {
            lock (All)
            {
                All.Add($"{about.FieldPath} {type} {reason} {message}");
            }

            Added.Writer.TryWrite(message);
        }
    }
}
