using System.Net;
using System.Net.Sockets;
using Podhost.Integration.Tests.Instances;
using Podhost.Tests.Shared;

namespace Podhost.Integration.Tests.Promises;

/// <summary>A pod is deleted before it runs properly, or while it ends: it goes, and nothing of it is left on the machine.</summary>
public sealed class DeletionTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_pod_goes_while_its_image_is_pulled_from_a_registry_that_never_answers()
    {
        using var mute = new TcpListener(IPAddress.Loopback, 0);
        mute.Start();
        var image = $"{mute.LocalEndpoint}/nowhere:1";
        await K.ApplyAsync(ShellPod("pulling", "sleep 1000").Replace("busybox:stable", $"\"{image}\""));
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        using var asked = await mute.AcceptTcpClientAsync(stop.Token);
        await K.WaitAsync("pulling", "condition=PodReadyToStartContainers"); // the pull may begin before
        Assert.Equal("ContainerCreating", await K.FieldAsync("pulling", ".status.containerStatuses[0].state.waiting.reason"));
        await GoesAsync("pulling");
    }

    [Fact]
    public async Task A_pod_goes_while_an_init_container_runs()
    {
        await K.ApplyAsync(ShellPod("in-init", "sleep 1000", $"ports: [{{containerPort: 8080, hostPort: {Loopback.FreePort()}}}]", podMore: "initContainers: [{name: first, image: \"busybox:stable\", command: [sleep, \"1000\"]}]"));
        await K.WaitAsync("in-init", "jsonpath={.status.initContainerStatuses[0].state.running.startedAt}");
        await GoesAsync("in-init", rules: 1);
    }

    [Fact]
    public async Task A_pod_goes_while_its_container_waits_to_be_started_again()
    {
        await K.ApplyAsync(ShellPod("crash-looping", "exit 1"));
        await K.WaitAsync("crash-looping", ".status.containerStatuses[0].state.waiting.reason", "CrashLoopBackOff");
        await GoesAsync("crash-looping");
    }

    [Fact]
    public async Task A_pod_whose_hook_has_long_to_go_goes_by_a_second_deletion_with_less_grace()
    {
        var directory = Directory.CreateDirectory(Path.Combine(Cluster.Root, "in-pre-stop")).FullName;
        await K.ApplyAsync(ShellPod("in-pre-stop", "sleep 1000", """
            lifecycle: {preStop: {exec: {command: [sh, -c, "touch /host/hook; sleep 1000"]}}}
                volumeMounts: [{name: h, mountPath: /host}]
                ports: [{containerPort: 8080}, {containerPort: 5353, hostPort: PORT, protocol: UDP}]
            """.Replace("PORT", $"{Loopback.FreePort()}", StringComparison.Ordinal), $"volumes: [{{name: h, hostPath: {{path: {directory}}}}}]").Replace("terminationGracePeriodSeconds: 1", "terminationGracePeriodSeconds: 600"));
        await K.ReadyAsync("in-pre-stop");
        await K.OkAsync("expose pod in-pre-stop --port=80 --target-port=8080");
        await K.OkAsync("delete pod in-pre-stop --wait=false");
        (await Shell.RunAsync("sh", ["-c", $"until [ -e {directory}/hook ]; do sleep 0.1; done"])).Ok();
        Assert.Equal("600", await K.FieldAsync("in-pre-stop", ".metadata.deletionGracePeriodSeconds"));
        await GoesAsync("in-pre-stop", "--grace-period=1", rules: 1);
        await K.OkAsync("delete service in-pre-stop");
    }

    [Fact]
    public async Task Pods_that_own_each_other_in_a_circle_go_together()
    {
        var uids = new List<string>();
        foreach (var name in (string[])["ring-a", "ring-b", "ring-c"])
        {
            await K.ApplyAsync(ShellPod(name, "sleep 1000"));
            uids.Add(await K.FieldAsync(name, ".metadata.uid"));
        }

        foreach (var (name, owner, uid) in new[] { ("ring-a", "ring-c", uids[2]), ("ring-b", "ring-a", uids[0]), ("ring-c", "ring-b", uids[1]) })
        {
            var reference = $$"""{"apiVersion":"v1","kind":"Pod","name":"{{owner}}","uid":"{{uid}}","controller":true,"blockOwnerDeletion":true}""";
            await K.OkAsync($"patch pod {name} -p", """{"metadata":{"ownerReferences":[REFERENCE]}}""".Replace("REFERENCE", reference, StringComparison.Ordinal));
        }

        await K.OkAsync("delete pod ring-a --cascade=foreground --timeout=60s");
        await K.OkAsync("wait --for=delete pod/ring-b pod/ring-c --timeout=60s");
    }

    // With at least so many rules or elements of the packet filter that name the pod's address.
    private async Task GoesAsync(string name, string more = "", int rules = 0)
    {
        var traces = await PodTraces.OfAsync(Cluster, await K.FieldAsync(name, ".metadata.uid"));
        Assert.True(traces.Rules.Count >= rules, $"{traces.Rules.Count} rules name the address of {name}");
        await K.OkAsync($"delete pod {name} --timeout=40s {more}");
        await traces.GoneAsync();
    }
}
