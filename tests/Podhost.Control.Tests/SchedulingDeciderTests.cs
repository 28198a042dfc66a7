using CsCheck;
using k8s.Models;
using Podhost.Control.Scheduler;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Tests;

public sealed class SchedulingDeciderTests
{
    [Fact]
    public void No_nodes() => Assert.Equal("no nodes available to schedule pods", Decide(Objects.Asking("p", "1", "1Gi")).Message);

    [Fact]
    public void Not_enough_memory() =>
        Assert.Equal("0/1 nodes are available: 1 Insufficient memory.", Decide(Objects.Asking("p", "1", "900Gi"), Objects.Node("a")).Message);

    [Fact]
    public void Every_resource_that_lacks_is_told_and_nodes_are_counted() =>
        Assert.Equal(
            "0/2 nodes are available: 1 Insufficient memory, 2 Insufficient cpu.",
            Decide(Objects.Asking("p", "8", "16Gi"), Objects.Node("a"), Objects.Node("b", memory: "32Gi")).Message);

    [Fact]
    public void A_cordoned_node_and_a_tainted_one()
    {
        var cordoned = Objects.Node("a");
        cordoned.Spec.Unschedulable = true;
        var tainted = Objects.Node("b");
        tainted.Spec.Taints = [new V1Taint { Key = "only", Value = "gpu", Effect = "NoSchedule" }];
        Assert.Equal(
            "0/2 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable.",
            Decide(Objects.Asking("p", "1", "1Gi"), cordoned, tainted).Message);
    }

    [Fact]
    public void A_selector_that_no_node_matches()
    {
        var pod = Objects.Asking("p", "1", "1Gi");
        pod.Spec.NodeSelector = new Dictionary<string, string> { ["disk"] = "ssd" };
        Assert.Equal("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.", Decide(pod, Objects.Node("a")).Message);
    }

    [Fact]
    public void Nodes_are_never_over_committed_and_the_same_cluster_gives_the_same_placement() =>
        Gen.Select(Gen.Int[100, 3000].Array[1, 40], Gen.Int[1, 4], Gen.Int[1, 12]).Sample((requests, nodeCount, most) =>
        {
            var nodes = Enumerable.Range(0, nodeCount).Select(i => Objects.Node($"n{i}", pods: most)).ToArray();
            var placed = Place(requests, nodes);
            Assert.Equal(placed, Place(requests, [.. nodes.Reverse()]));
            foreach (var onNode in placed.Where(p => p.Node is not null).GroupBy(p => p.Node))
            {
                Assert.True(onNode.Sum(p => p.Milli) <= 4000);
                Assert.True(onNode.Count() <= most);
            }

            foreach (var (_, milli) in placed.Where(p => p.Node is null))
            {
                Assert.All(nodes, n => Assert.True(
                    placed.Where(p => p.Node == n.Metadata.Name).Sum(p => p.Milli) + milli > 4000
                    || placed.Count(p => p.Node == n.Metadata.Name) >= most));
            }
        }, iter: 200);

    [Theory]
    [InlineData(50, 50)]
    [InlineData(100, 100)]
    [InlineData(1000, 420)]
    [InlineData(5000, 500)]
    [InlineData(10_000, 500)]
    public void Of_many_nodes_a_share_is_looked_at(int nodes, int enough) => Assert.Equal(enough, SchedulingDecider.Enough(nodes));

    [Fact]
    public void The_look_begins_where_it_is_told_to_and_ends_when_enough_nodes_fit()
    {
        V1Node[] nodes = [.. Enumerable.Range(0, 300).Select(i => Objects.Node($"n{i:000}", cpu: i % 2 == 0 ? "4" : "1"))];
        var cluster = ClusterView.Build(nodes, [], new Dictionary<string, string>(), []);
        var result = SchedulingDecider.Decide(new PodView(Objects.Asking("p", "2", "1Gi")), cluster, first: 251);
        Assert.Equal(("n252", 2 * SchedulingDecider.Enough(300)), (result.NodeName, result.Looked));

        // Where nothing fits, all were looked at.
        Assert.Equal(300, SchedulingDecider.Decide(new PodView(Objects.Asking("q", "9", "1Gi")), cluster, first: 251).Rejections.Count);
    }

    private static List<(string? Node, int Milli)> Place(int[] requests, V1Node[] nodes)
    {
        var pods = new List<PodView>();
        var assumed = new Dictionary<string, string>();
        var placed = new List<(string?, int)>();
        for (var i = 0; i < requests.Length; i++)
        {
            var pod = new PodView(Objects.Asking($"p{i}", $"{requests[i]}m", "1Mi"));
            pods.Add(pod);
            var node = SchedulingDecider.Decide(pod, ClusterView.Build(nodes, pods, assumed, [])).NodeName;
            if (node is not null)
            {
                assumed[pod.Uid] = node;
            }

            placed.Add((node, requests[i]));
        }

        return placed;
    }

    private static SchedulingResult Decide(V1Pod pod, params V1Node[] nodes) =>
        SchedulingDecider.Decide(new PodView(pod), ClusterView.Build(nodes, [], new Dictionary<string, string>(), []));
}
