using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Joining;

/// <summary>A node whose kubelet is killed, and comes back.</summary>
public sealed class LostNodeTests(ClusterFixture cluster)
{
    private const string Ready = ".status.conditions[?(@.type==\"Ready\")]";

    [Fact]
    public async Task A_silent_node_is_unknown_its_pods_are_not_ready_or_leave_and_all_is_well_when_it_returns()
    {
        Assert.SkipWhen(cluster.CannotRun is not null, cluster.CannotRun ?? "");

        // With a node of its own that stays: where no node is ready, nothing is evicted.
        await using var server = await Instance.StartCommandAsync(i => ["up", "--node-monitor-grace-period", "6s", "--config", Configuration(i)]);
        var bootstrap = Path.Combine(server.Root, "bootstrap.kubeconfig");
        await File.WriteAllTextAsync(bootstrap, (await server.PodhostAsync("join-config", "--server", $"https://127.0.0.1:{server.SecurePort}")).Ok());
        await using var node = await Instance.StartCommandAsync(i =>
            ["kubelet", "--bootstrap-kubeconfig", bootstrap, "--kubeconfig", Path.Combine(i.Root, "data", "node.kubeconfig"), "--config", Configuration(i)]);
        await ClusterFixture.LoadImagesAsync(node);
        var k = server.Kubectl;
        (await k.ShellAsync($"until $K get node {node.Node} 2>/dev/null; do sleep 0.2; done; $K wait node/{node.Node} --for=condition=Ready --timeout=40s")).Ok();
        await k.ApplyAsync(Pod(node, "stays", 300));
        await k.ApplyAsync(Pod(node, "leaves", 0));
        await k.ReadyAsync("stays");
        await k.ReadyAsync("leaves");
        var container = await ContainerAsync(k);

        await node.KillAsync();
        await k.OkAsync($"wait node/{node.Node} --for=condition=Ready=Unknown --timeout=50s");
        Assert.Equal("NodeStatusUnknown Kubelet stopped posting node status.", await k.OkAsync($"get node {node.Node} -o", $"jsonpath={{{Ready}.reason}} {{{Ready}.message}}"));
        foreach (var effect in new[] { "NoExecute", "NoSchedule" })
        {
            await k.OkAsync($"wait node/{node.Node} --timeout=40s", $"--for=jsonpath={{.spec.taints[?(@.effect==\"{effect}\")].key}}=node.kubernetes.io/unreachable");
        }
        await k.WaitAsync("stays", "condition=Ready=false");
        Assert.Equal("Running", await k.FieldAsync("stays", ".status.phase"));
        await k.WaitAsync("leaves", "jsonpath={.metadata.deletionTimestamp}");
        Assert.Equal("", await k.FieldAsync("stays", ".metadata.deletionTimestamp"));

        await node.UpAsync();
        await k.OkAsync($"wait node/{node.Node} --for=condition=Ready --timeout=50s");
        (await k.ShellAsync($"until [ -z \"$({Taints(node)})\" ]; do sleep 0.2; done")).Ok();
        await k.ReadyAsync("stays");
        Assert.Equal(container, await ContainerAsync(k));
        await k.OkAsync("wait pod/leaves --for=delete --timeout=40s");
    }

    private static string Taints(Instance node) => $"$K get node {node.Node} -o jsonpath='{{range .spec.taints[*]}}{{.key}} {{.effect}}{{\"\\n\"}}{{end}}'";

    private static Task<string> ContainerAsync(Kubectl k) =>
        k.FieldAsync("stays", ".status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount");

    // Renews its lease every second.
    private static string Configuration(Instance instance)
    {
        var file = Path.Combine(instance.Root, "lease.yaml");
        File.WriteAllText(file, """
            apiVersion: kubelet.config.k8s.io/v1beta1
            kind: KubeletConfiguration
            evictionHard: {memory.available: 20Mi}
            imageGCHighThresholdPercent: 100
            nodeLeaseDurationSeconds: 4
            """);
        return file;
    }

    private static string Pod(Instance node, string name, int seconds) => $$"""
        apiVersion: v1
        kind: Pod
        metadata: {name: {{name}}}
        spec:
          terminationGracePeriodSeconds: 1
          nodeName: {{node.Node}}
          tolerations: [{key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: {{seconds}}}]
          containers:
          - {name: main, image: "busybox:stable", command: [sleep, "1000"]}
        """;
}
