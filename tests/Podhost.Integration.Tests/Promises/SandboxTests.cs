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
        (await Shell.RunAsync("kill", ["-KILL", $"{InfraProcess(uid, await ContainerIdsAsync("held"))}"])).Ok();
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

    private async Task<string[]> ContainerIdsAsync(string pod) =>
        [.. (await K.FieldAsync(pod, ".status.containerStatuses[*].containerID")).Split(' ').Select(id => id[(id.LastIndexOf('/') + 1)..])];

    // The pod's cgroup has a child for each container and one for the infra container.
    private int InfraProcess(string uid, string[] containers)
    {
        var pod = Directory.GetDirectories("/sys/fs/cgroup", $"*{uid.Replace('-', '*')}", new EnumerationOptions { RecurseSubdirectories = true })
            .First(d => d.Contains(Cluster.CgroupRoot, StringComparison.Ordinal) && Directory.GetDirectories(d).Length > containers.Length);
        var infra = Directory.GetDirectories(pod).Single(d => !containers.Contains(Path.GetFileName(d)));
        return int.Parse(File.ReadLines(Path.Combine(infra, "cgroup.procs")).First());
    }
}
