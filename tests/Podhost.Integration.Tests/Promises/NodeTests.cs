using System.Text.Json.Nodes;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Promises;

/// <summary>What the node says of itself.</summary>
public sealed class NodeTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task The_node_names_the_runtime_that_it_runs_on()
    {
        var name = await K.OkAsync("get node", Cluster.Node, "-o", "jsonpath={.status.nodeInfo.containerRuntimeVersion}");
        Assert.StartsWith(Instance.OnContainerd ? "containerd://" : "podhost://", name, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_log_tells_once_that_a_runtime_has_no_events()
    {
        await K.ApplyAsync(ShellPod("heard", "true", podMore: "restartPolicy: Never"));
        await K.WaitAsync("heard", ".status.phase", "Succeeded");
        Assert.Equal(Instance.OnContainerd ? 1 : 0, Cluster.Log.Split('\n').Count(l => l.Contains("tells no events", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task The_kubelet_shows_the_configuration_that_is_in_effect()
    {
        var shown = JsonNode.Parse(await K.OkAsync($"get --raw /api/v1/nodes/{Cluster.Node}/proxy/configz"))!["kubeletconfig"]!;
        Assert.Equal((Cluster.KubeletPort, 110, 40),
            ((int)shown["port"]!, (int)shown["maxPods"]!, (int)shown["nodeLeaseDurationSeconds"]!));
        Assert.Equal(("10s", "Watch", Cluster.CgroupRoot), ((string?)shown["nodeStatusUpdateFrequency"], (string?)shown["configMapAndSecretChangeDetectionStrategy"], (string?)shown["cgroupRoot"]));
    }

    [Fact]
    public async Task The_node_has_a_lease_that_is_its_own_and_is_renewed()
    {
        var lease = Cluster.Kubectl.In("kube-node-lease");
        Assert.Equal(
            $"{Cluster.Node} 40 v1 Node {Cluster.Node}",
            await lease.OkAsync($"get lease {Cluster.Node} -o", "jsonpath={.spec.holderIdentity} {.spec.leaseDurationSeconds} {.metadata.ownerReferences[0]['apiVersion','kind','name']}"));
        using var watch = lease.Start($"get lease {Cluster.Node} --watch -o", "jsonpath={.spec.renewTime}{\"\\n\"}");
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        try
        {
            var first = await watch.StandardOutput.ReadLineAsync(stop.Token);
            Assert.NotEqual(first, await watch.StandardOutput.ReadLineAsync(stop.Token));
        }
        finally
        {
            watch.Kill();
        }
    }
}
