using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Nodes;

/// <summary>A node that falls silent, and returns. The instance's own node stays, so that pods may leave.</summary>
public sealed class LostNodeTests(ClusterFixture cluster)
{
    private const string Fast = """
        apiVersion: kubelet.config.k8s.io/v1beta1
        kind: KubeletConfiguration
        nodeLeaseDurationSeconds: 4
        """;

    [Fact]
    public async Task A_silent_node_is_marked_loses_its_pods_and_is_repaired_when_it_returns()
    {
        Assert.SkipWhen(cluster.CannotRun is not null || Instance.OnContainerd, cluster.CannotRun ?? "a second node needs a second containerd");
        var config = Path.GetTempFileName();
        await File.WriteAllTextAsync(config, Fast, TestContext.Current.CancellationToken);
        await using var instance = await Instance.StartAsync("--config", config, "--node-monitor-grace-period", "8s");
        await using var node = await JoinedNode.StartAsync(instance, "--config", config);
        await node.LoadImageAsync(await ArchiveAsync(instance));
        var k = instance.Kubectl;
        await k.ApplyAsync(Pod("stays", node.Name, seconds: 600));
        await k.ApplyAsync(Pod("leaves", node.Name, seconds: 1));
        await k.ReadyAsync("stays");
        await k.ReadyAsync("leaves");
        var address = await k.FieldAsync("stays", ".status.podIP");

        await node.SignalAsync("STOP");
        await node.WaitAsync("condition=Ready=Unknown");
        foreach (var type in new[] { "Ready", "MemoryPressure", "DiskPressure", "PIDPressure" })
        {
            Assert.Equal(
                "Unknown NodeStatusUnknown Kubelet stopped posting node status.",
                await k.OkAsync($"get node {node.Name} -o", $"jsonpath={{range .status.conditions[?(@.type==\"{type}\")]}}{{.status}} {{.reason}} {{.message}}{{end}}"));
        }

        await k.WaitAsync("stays", "condition=Ready=False");
        Assert.Equal("Running", await k.FieldAsync("stays", ".status.phase"));
        await k.EventAsync(node.Name, "NodeNotReady");
        await k.EventAsync("stays", "NodeNotReady");
        await node.WaitAsync("jsonpath={.spec.taints[?(@.effect==\"NoExecute\")].key}=node.kubernetes.io/unreachable");
        await node.WaitAsync("jsonpath={.spec.taints[?(@.effect==\"NoSchedule\")].key}=node.kubernetes.io/unreachable");
        await k.EventAsync("leaves", "TaintManagerEviction");
        Assert.Matches(@"leaves +1/1 +Terminating", await k.OkAsync("get pods"));

        await node.SignalAsync("CONT");
        await node.WaitAsync("condition=Ready=True");
        await k.ReadyAsync("stays");
        await k.WaitAsync("leaves", "delete");
        Assert.Equal($"0 {address}", await k.FieldAsync("stays", ".status.containerStatuses[0].restartCount} {.status.podIP"));
        await k.OkAsync($"wait node/{node.Name} --timeout=40s", "--for=jsonpath={.status.conditions[?(@.type==\"MemoryPressure\")].status}=False");
        File.Delete(config);
    }

    private static async Task<string> ArchiveAsync(Instance instance)
    {
        var archive = Path.Combine(instance.Root, "joined-image.tar");
        (await Shell.RunAsync(
            Path.Combine(Executable.Source, "examples/images/simple-container-app/build.sh"), [archive, "docker.io/library/busybox:stable"])).Ok();
        return archive;
    }

    private static string Pod(string name, string node, int seconds) => $$"""
        apiVersion: v1
        kind: Pod
        metadata: {name: {{name}}}
        spec:
          nodeName: {{node}}
          terminationGracePeriodSeconds: 1
          tolerations:
          - {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: {{seconds}}}
          containers:
          - {name: main, image: "busybox:stable", command: [sleep, "3600"]}
        """;
}
