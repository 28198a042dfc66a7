using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Promises;

/// <summary>Promise 3, and the messages that a container leaves.</summary>
public sealed class PhaseTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_pod_whose_image_is_nowhere_is_pending_and_says_why()
    {
        await K.ApplyAsync("""
            apiVersion: v1
            kind: Pod
            metadata: {name: pending}
            spec:
              containers:
              - {name: main, image: "busybox:none", imagePullPolicy: Never}
            """);
        await K.WaitAsync("pending", ".status.containerStatuses[0].state.waiting.reason", "ErrImageNeverPull");
        Assert.Matches(@"pending\s+0/1\s+ErrImageNeverPull\s+0", await K.OkAsync("get pod pending"));
        Assert.Equal("Pending", await K.FieldAsync("pending", ".status.phase"));
        await K.OkAsync("delete pod pending --timeout=20s");
    }

    [Fact]
    public async Task A_pod_that_ends_well_has_succeeded_and_leaves_its_message()
    {
        await K.ApplyAsync(ShellPod("succeeds", "echo all is done > /dev/termination-log", podMore: "restartPolicy: Never"));
        await K.WaitAsync("succeeds", ".status.phase", "Succeeded");
        Assert.Matches(@"succeeds\s+0/1\s+Completed\s+0", await K.OkAsync("get pod succeeds"));
        Assert.Equal("Completed 0 all is done\n", await K.FieldAsync("succeeds", Ended("reason} {", "exitCode} {", "message")));
    }

    [Fact]
    public async Task A_pod_that_ends_badly_has_failed_and_its_log_is_the_message()
    {
        await K.ApplyAsync(ShellPod("fails", "echo broken; exit 3", "terminationMessagePolicy: FallbackToLogsOnError", "restartPolicy: Never"));
        await K.WaitAsync("fails", ".status.phase", "Failed");
        Assert.Matches(@"fails\s+0/1\s+Error\s+0", await K.OkAsync("get pod fails"));
        Assert.Equal("Error 3 broken\n", await K.FieldAsync("fails", Ended("reason} {", "exitCode} {", "message")));
    }

    [Fact]
    public async Task A_container_that_keeps_ending_is_restarted_with_a_pause()
    {
        await K.ApplyAsync(ShellPod("crashes", "exit 1"));
        await K.WaitAsync("crashes", ".status.containerStatuses[0].state.waiting.reason", "CrashLoopBackOff");
        Assert.Equal("Running", await K.FieldAsync("crashes", ".status.phase"));
        Assert.Equal("1", await K.FieldAsync("crashes", ".status.containerStatuses[0].lastState.terminated.exitCode"));
        await K.OkAsync("delete pod crashes --timeout=20s");
    }

    [Fact]
    public async Task A_pod_past_its_deadline_fails()
    {
        await K.ApplyAsync(ShellPod("late", "sleep 1000", podMore: "activeDeadlineSeconds: 1"));
        await K.WaitAsync("late", ".status.reason", "DeadlineExceeded");
        Assert.Equal("Failed", await K.FieldAsync("late", ".status.phase"));
    }

    private static string Ended(params string[] fields) => string.Concat(fields.Select(f => $".status.containerStatuses[0].state.terminated.{f}"));
}
