using System.Diagnostics;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Promises;

/// <summary>How pods end.</summary>
public sealed class StopTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_deleted_pod_runs_its_hook_gets_the_signal_and_then_goes()
    {
        var directory = Directory.CreateDirectory(Path.Combine(Cluster.Root, "stops")).FullName;
        await K.ApplyAsync(ShellPod("graceful", "trap 'echo term >> /host/log; exit 0' TERM; while :; do sleep 0.1; done", """
            lifecycle: {preStop: {exec: {command: [sh, -c, "echo hook >> /host/log"]}}}
                volumeMounts: [{name: h, mountPath: /host}]
            """, $"volumes: [{{name: h, hostPath: {{path: {directory}}}}}]").Replace("terminationGracePeriodSeconds: 1", "terminationGracePeriodSeconds: 20"));
        await K.ReadyAsync("graceful");
        await K.OkAsync("delete pod graceful --timeout=15s");
        Assert.Equal("hook\nterm\n", await File.ReadAllTextAsync(Path.Combine(directory, "log")));
    }

    [Fact]
    public async Task A_hook_that_outlasts_the_grace_ends_with_its_container()
    {
        var directory = Directory.CreateDirectory(Path.Combine(Cluster.Root, "outlasts")).FullName;
        await K.ApplyAsync(ShellPod("outlasts", "trap 'touch /host/term' TERM; while :; do sleep 0.1; done", """
            lifecycle: {preStop: {exec: {command: [sh, -c, "until [ -e /host/term ]; do sleep 0.1; done; touch /host/seen; sleep 1000"]}}}
                volumeMounts: [{name: h, mountPath: /host}]
            """, $"volumes: [{{name: h, hostPath: {{path: {directory}}}}}]"));
        await K.ReadyAsync("outlasts");
        await K.OkAsync("delete pod outlasts --timeout=30s");
        Assert.Equal(["seen", "term"], Directory.GetFiles(directory).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task A_container_that_ignores_the_signal_is_killed_at_the_end_of_its_grace()
    {
        await K.ApplyAsync(ShellPod("stubborn", "trap '' TERM; while :; do sleep 1; done"));
        await K.ReadyAsync("stubborn");
        var watch = Stopwatch.StartNew();
        await K.OkAsync("delete pod stubborn --grace-period=2");
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(8));
    }

    [Fact]
    public async Task A_forced_deletion_is_at_once_and_the_node_is_cleaned()
    {
        await K.ApplyAsync(ShellPod("forced", "trap '' TERM; while :; do sleep 1; done"));
        await K.ReadyAsync("forced");
        var uid = await K.FieldAsync("forced", ".metadata.uid");
        var directory = Path.Combine(Cluster.Root, "data/kubelet/pods", uid);
        Assert.True(Directory.Exists(directory));
        using var watcher = new FileSystemWatcher(Path.GetDirectoryName(directory)!) { EnableRaisingEvents = true };
        var gone = new TaskCompletionSource();
        watcher.Deleted += (_, e) =>
        {
            if (e.Name == uid)
            {
                gone.TrySetResult();
            }
        };
        await K.OkAsync("delete pod forced --force --grace-period=0");
        Assert.Contains("NotFound", (await K.RunAsync("get pod forced")).Fails());
        if (Directory.Exists(directory))
        {
            await gone.Task.WaitAsync(TimeSpan.FromSeconds(40));
        }
    }

    [Fact]
    public async Task A_failed_postStart_hook_kills_the_container()
    {
        await K.ApplyAsync(ShellPod("hooked", "sleep 1000", "lifecycle: {postStart: {exec: {command: [sh, -c, 'exit 7']}}}"));
        await K.EventAsync("hooked", "FailedPostStartHook");
        await K.EventAsync("hooked", "Killing");
        await K.OkAsync("delete pod hooked --timeout=20s");
    }
}
