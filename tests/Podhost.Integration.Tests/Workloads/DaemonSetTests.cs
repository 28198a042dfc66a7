using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Workloads;

/// <summary>DaemonSets and ReplicationControllers, as kubectl drives them.</summary>
public sealed class DaemonSetTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_daemon_set_runs_on_each_node_and_is_updated_and_rolled_back()
    {
        await K.ApplyAsync(DaemonSet("agent"));
        await K.OkAsync("rollout status daemonset/agent --timeout=60s");
        Assert.Equal(Cluster.Node, await K.OkAsync("get pods -l app=agent -o jsonpath={.items[*].spec.nodeName}"));
        Assert.Matches(@"agent\s+1\s+1\s+1\s+1\s+1", await K.OkAsync("get daemonset agent"));

        await K.OkAsync("set env daemonset/agent VERSION=2");
        await K.OkAsync("rollout status daemonset/agent --timeout=60s");
        Assert.Contains("2", await VersionsAsync());
        await K.OkAsync("rollout undo daemonset/agent");
        await K.OkAsync("rollout status daemonset/agent --timeout=60s");
        Assert.Contains("1", await VersionsAsync());
        Assert.Matches(@"(?m)^3\s", await K.OkAsync("rollout history daemonset/agent"));

        // No node has that label.
        await K.OkAsync("patch daemonset agent --type=merge -p", """{"spec":{"template":{"spec":{"nodeSelector":{"nowhere":"true"}}}}}""");
        await K.OkAsync("wait --for=delete pods -l app=agent --timeout=60s");
        await K.OkAsync("wait daemonset agent --for=jsonpath={.status.desiredNumberScheduled}=0 --timeout=60s");
        await K.OkAsync("delete daemonset agent");
    }

    [Fact]
    public async Task A_replication_controller_is_scaled()
    {
        await K.ApplyAsync(Controller("old"));
        await K.OkAsync("wait rc old --for=jsonpath={.status.readyReplicas}=1 --timeout=60s");
        await K.OkAsync("scale rc old --replicas=2");
        await K.OkAsync("wait rc old --for=jsonpath={.status.availableReplicas}=2 --timeout=60s");
        Assert.Matches(@"old\s+2\s+2\s+2", await K.OkAsync("get rc old"));
        Assert.Equal("app=old", await K.OkAsync("get rc old --subresource=scale -o jsonpath={.status.selector}"));
        await K.OkAsync("delete rc old");
        await K.OkAsync("wait --for=delete pods -l app=old --timeout=60s");
    }

    private async Task<string> VersionsAsync() =>
        await K.OkAsync("get pods -l app=agent -o jsonpath={.items[*].spec.containers[0].env[0].value}");

    private static string DaemonSet(string name) => Manifests.Deployment(name, 1, """env: [{name: VERSION, value: "1"}]""")
        .Replace("kind: Deployment", "kind: DaemonSet", StringComparison.Ordinal).Replace("replicas: 1", "minReadySeconds: 0", StringComparison.Ordinal);

    private static string Controller(string name) => Manifests.Deployment(name, 1, "")
        .Replace("apps/v1", "v1", StringComparison.Ordinal).Replace("kind: Deployment", "kind: ReplicationController", StringComparison.Ordinal)
        .Replace($"selector: {{matchLabels: {{app: {name}}}}}", "minReadySeconds: 0", StringComparison.Ordinal);
}
