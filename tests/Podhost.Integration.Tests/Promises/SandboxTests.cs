using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Promises;

/// <summary>Promise 8: the infra container holds the pod together.</summary>
public sealed class SandboxTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task The_address_survives_a_containers_death_and_the_infra_containers_death_restarts_all()
    {
        await K.ApplyAsync("""
            apiVersion: v1
            kind: Pod
            metadata: {name: held}
            spec:
              terminationGracePeriodSeconds: 1
              containers:
              - {name: a, image: "busybox:stable", command: [sh, -c, "trap 'exit 1' USR1; sleep 1000 & wait"]}
              - {name: b, image: "busybox:stable", command: [sleep, "1000"]}
            """);
        await K.ReadyAsync("held");
        var ip = await K.FieldAsync("held", ".status.podIP");
        await K.RunAsync("exec held -c a -- kill -USR1 1"); // the exec may die with the container
        await K.WaitAsync("held", ".status.containerStatuses[?(@.name==\"a\")].restartCount", "1");
        await K.ReadyAsync("held");
        Assert.Equal($"{ip} 1 0", await K.FieldAsync("held", ".status.podIP} {.status.containerStatuses[0].restartCount} {.status.containerStatuses[1].restartCount"));

        var uid = await K.FieldAsync("held", ".metadata.uid");
        (await Shell.RunAsync("kill", ["-KILL", $"{PodTraces.InfraProcess(Cluster, uid, await ContainerIdsAsync("held"))}"])).Ok();
        await K.EventAsync("held", "SandboxChanged");
        await K.WaitAsync("held", ".status.containerStatuses[?(@.name==\"b\")].restartCount", "1");
        await K.WaitAsync("held", ".status.containerStatuses[?(@.name==\"a\")].restartCount", "2");
        await K.ReadyAsync("held");
    }

    [Fact]
    public async Task Processes_are_shared_where_asked_and_the_infra_process_is_the_first()
    {
        await K.ApplyAsync(ShellPod("shared", "sleep 1234", podMore: "shareProcessNamespace: true"));
        await K.ReadyAsync("shared");
        var processes = await K.ShAsync("shared", "ps -o pid,args");
        Assert.Matches(@"\n\s+1 (/?\S*(pause|catatonit))", processes);
        Assert.Matches(@"\n\s+[2-9]\d* sleep 1234", processes);
    }

    [Fact]
    public async Task The_infra_process_buries_the_orphans_of_a_shared_process_namespace()
    {
        await K.ApplyAsync(ShellPod("orphanage", "sleep 1000", podMore: "shareProcessNamespace: true"));
        await K.ReadyAsync("orphanage");

        // What nobody waited for would stay in /proc as a zombie.
        Assert.Equal("PPid:\t1\n", await K.ShAsync("orphanage",
            "sh -c 'sleep 1000 & echo $!' > /tmp/orphan; p=$(cat /tmp/orphan); grep PPid: /proc/$p/status; kill $p; while [ -e /proc/$p ]; do sleep 0.1; done"));
        Assert.DoesNotContain("Z", await K.ShAsync("orphanage", "grep -h State: /proc/[0-9]*/status"));
    }

    [Fact]
    public async Task A_container_outlives_its_monitor_and_its_end_is_unknown()
    {
        Assert.SkipWhen(Instance.OnContainerd, "containerd's monitor is the shim, of the whole pod");
        await K.ApplyAsync(ShellPod("unwatched", "trap 'exit 3' USR1; sleep 1000 & wait"));
        await K.ReadyAsync("unwatched");
        var container = (await ContainerIdsAsync("unwatched")).Single();
        var monitor = await File.ReadAllTextAsync(Path.Combine(Cluster.ContainerDirectory(container), "conmon.pid"));
        (await Shell.RunAsync("kill", ["-KILL", monitor.Trim()])).Ok();
        await K.ShAsync("unwatched", "true");
        Assert.Equal("true 0", await K.FieldAsync("unwatched", ".status.containerStatuses[0].ready} {.status.containerStatuses[0].restartCount"));

        await K.RunAsync("exec unwatched -- kill -USR1 1"); // the exec may die with the container
        await K.WaitAsync("unwatched", ".status.containerStatuses[0].restartCount", "1");
        Assert.Equal("255 Unknown", await K.FieldAsync("unwatched", ".status.containerStatuses[0].lastState.terminated.exitCode} {.status.containerStatuses[0].lastState.terminated.reason"));
    }

    private async Task<string[]> ContainerIdsAsync(string pod) =>
        [.. (await K.FieldAsync(pod, ".status.containerStatuses[*].containerID")).Split(' ').Select(id => id[(id.LastIndexOf('/') + 1)..])];
}
