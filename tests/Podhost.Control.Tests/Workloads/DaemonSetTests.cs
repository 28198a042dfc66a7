using CsCheck;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;
using Podhost.Control.Controllers.DaemonSets;

namespace Podhost.Control.Tests.Workloads;

/// <summary>DaemonSets on a world of nodes that come and go and pods that become ready, or end, in any order.</summary>
public sealed class DaemonSetTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private int _made;

    [Fact]
    public void An_update_stays_in_its_bounds_and_arrives() =>
        Gen.Select(Gen.Int[1, 8], Gen.Int[1, 3], Gen.Bool, Gen.Int[0, 100_000]).Sample((count, step, surges, seed) =>
        {
            var set = Set(surges ? 0 : step, surges ? step : 0);
            var random = new Random(seed);
            var nodes = Enumerable.Range(0, count).Select(i => Node($"n{i}")).ToList();
            var pods = nodes.Select(n => Pod(n.Metadata.Name, "old", ready: true)).ToList();
            for (var i = 0; i < 600; i++)
            {
                var plan = DaemonSetDecider.Decide(set, nodes, pods, "new", Now);
                foreach (var pod in plan.Delete.Concat(plan.Ended))
                {
                    pod.Metadata.DeletionTimestamp ??= Now.UtcDateTime;
                }

                pods.AddRange(plan.Create.Select(n => Pod(n, "new", ready: false)));
                Assert.True(nodes.Count(n => pods.Any(p => DaemonPods.NodeOf(p) == n.Metadata.Name && IsHealthy(p))) >= count - (surges ? 0 : step), "more nodes without a pod than may be");
                Assert.True(nodes.Count(n => pods.Count(p => DaemonPods.NodeOf(p) == n.Metadata.Name && p.Metadata.DeletionTimestamp is null) > 1) <= (surges ? step : 0), "more than the surge allows");
                if (!Change(pods, random) && plan.Create.Count + plan.Delete.Count == 0)
                {
                    break;
                }
            }

            Assert.Equal(nodes.Select(n => n.Metadata.Name), pods.Select(DaemonPods.NodeOf).Order());
            Assert.All(pods, p => Assert.Equal("new", p.Metadata.Labels["controller-revision-hash"]));
        }, threads: 1);

    [Theory]
    [InlineData("node.kubernetes.io/not-ready", "NoExecute", true, true)]
    [InlineData("node.kubernetes.io/unschedulable", "NoSchedule", true, true)]
    [InlineData("node.kubernetes.io/network-unavailable", "NoSchedule", false, true)]
    [InlineData("mine", "NoSchedule", false, true)]
    [InlineData("mine", "NoExecute", false, false)]
    [InlineData("mine", "PreferNoSchedule", true, true)]
    public void Taints_keep_pods_away_or_send_them_off(string key, string effect, bool shouldRun, bool mayStay)
    {
        var node = Node("n");
        node.Spec.Taints = [new V1Taint { Key = key, Effect = effect }];
        Assert.Equal((shouldRun, mayStay), DaemonPods.PlaceOn(Set(1, 0), node));
        var pod = Pod("n", "new", ready: true);
        var plan = DaemonSetDecider.Decide(Set(1, 0), [node], [pod], "new", Now);
        Assert.Equal(mayStay ? 0 : 1, plan.Delete.Count);
        Assert.Equal(shouldRun ? ["n"] : [], DaemonSetDecider.Decide(Set(1, 0), [node], [], "new", Now).Create);
    }

    [Fact]
    public void Only_nodes_that_the_template_asks_for_get_a_pod()
    {
        var set = Set(1, 0);
        set.Spec.Template.Spec.NodeSelector = new Dictionary<string, string> { ["disk"] = "fast" };
        var fast = Node("fast");
        fast.Metadata.Labels["disk"] = "fast";
        Assert.Equal(["fast"], DaemonSetDecider.Decide(set, [fast, Node("slow")], [], "new", Now).Create);
        var status = DaemonStatus.Of(set, [fast, Node("slow")], [Pod("slow", "new", true)], "new", 0, Now);
        Assert.Equal((1, 0, 1, 0), (status.DesiredNumberScheduled, status.CurrentNumberScheduled, status.NumberMisscheduled, status.NumberReady));
    }

    [Fact]
    public void A_pod_may_go_to_its_node_only()
    {
        var pod = DaemonPods.Make(Set(1, 0), new V1OwnerReference(), "abc", "n7");
        Assert.Equal("n7", DaemonPods.NodeOf(pod));
        Assert.Equal("abc", pod.Metadata.Labels["controller-revision-hash"]);
        Assert.Equal(6, pod.Spec.Tolerations.Count);
        pod.Spec.NodeName = "elsewhere";
        Assert.Equal("elsewhere", DaemonPods.NodeOf(pod));
    }

    [Fact]
    public void Pods_that_wait_for_a_node_that_is_gone_are_deleted() =>
        Assert.Single(DaemonSetDecider.Decide(Set(1, 0), [], [DaemonPodFor("gone")], "new", Now).Delete);

    [Fact]
    public void The_oldest_of_several_stays()
    {
        var (first, second) = (Pod("n", "new", true), Pod("n", "new", true));
        second.Metadata.CreationTimestamp = Now.UtcDateTime.AddSeconds(5);
        Assert.Same(second, Assert.Single(DaemonSetDecider.Decide(Set(1, 0), [Node("n")], [second, first], "new", Now).Delete));
    }

    [Fact]
    public void On_delete_replaces_nothing()
    {
        var set = Set(1, 0);
        set.Spec.UpdateStrategy = new V1DaemonSetUpdateStrategy { Type = "OnDelete" };
        Assert.Empty(DaemonSetDecider.Decide(set, [Node("n")], [Pod("n", "old", true)], "new", Now).Delete);
    }

    [Fact]
    public void The_status_counts_nodes()
    {
        var status = DaemonStatus.Of(Set(1, 0), [Node("a"), Node("b"), Node("c")], [Pod("a", "new", true), Pod("b", "old", false)], "new", 0, Now);
        Assert.Equal((3, 2, 1, 0), (status.DesiredNumberScheduled, status.CurrentNumberScheduled, status.NumberReady, status.NumberMisscheduled));
        Assert.Equal((1, 1, 2), (status.UpdatedNumberScheduled, status.NumberAvailable, status.NumberUnavailable));
    }

    [Fact]
    public void Failed_pods_wait_longer_each_time()
    {
        var time = new FakeTimeProvider(Now);
        var backoff = new FailedPodBackoff(time);
        Assert.Null(backoff.Left("s", "n"));
        Assert.Equal(TimeSpan.FromSeconds(1), backoff.Left("s", "n"));
        Assert.Null(backoff.Left("s", "other"));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(backoff.Left("s", "n"));
        Assert.Equal(TimeSpan.FromSeconds(2), backoff.Left("s", "n"));
        for (var i = 0; i < 20; i++)
        {
            time.Advance(backoff.Left("s", "n") ?? TimeSpan.Zero);
        }

        Assert.True(backoff.Left("s", "n") is not { } left || left <= TimeSpan.FromMinutes(15));
        time.Advance(TimeSpan.FromHours(1));
        Assert.Null(backoff.Left("s", "n"));
        Assert.Equal(TimeSpan.FromSeconds(1), backoff.Left("s", "n"));
    }

    private static bool Change(List<V1Pod> pods, Random random)
    {
        var open = pods.Where(p => !IsHealthy(p)).ToList();
        if (open.Count == 0)
        {
            return false;
        }

        var pod = open[random.Next(open.Count)];
        if (pod.Metadata.DeletionTimestamp is not null)
        {
            pods.Remove(pod);
        }
        else if (pod.Status.Phase == "Pending")
        {
            (pod.Status.Phase, pod.Status.Conditions[0].Status) = ("Running", "True");
        }

        return true;
    }

    private static bool IsHealthy(V1Pod pod) => pod.Metadata.DeletionTimestamp is null && pod.Status.Phase == "Running" && pod.Status.Conditions[0].Status == "True";

    private static V1Pod DaemonPodFor(string node) => DaemonPods.Make(Set(1, 0), new V1OwnerReference(), "new", node);

    private static V1Node Node(string name) => Objects.Node(name);

    private static V1DaemonSet Set(int unavailable, int surge) => new()
    {
        Metadata = new V1ObjectMeta { Name = "agent", NamespaceProperty = "default", Uid = "set" },
        Spec = new V1DaemonSetSpec
        {
            Selector = new V1LabelSelector { MatchLabels = new Dictionary<string, string> { ["app"] = "agent" } },
            UpdateStrategy = new V1DaemonSetUpdateStrategy
            {
                Type = "RollingUpdate", RollingUpdate = new V1RollingUpdateDaemonSet { MaxUnavailable = $"{unavailable}", MaxSurge = $"{surge}" },
            },
            Template = new V1PodTemplateSpec
            {
                Metadata = new V1ObjectMeta { Labels = new Dictionary<string, string> { ["app"] = "agent" } },
                Spec = new V1PodSpec { Containers = [new V1Container { Name = "c", Image = "x" }] },
            },
        },
    };

    private V1Pod Pod(string node, string hash, bool ready) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = $"agent-{++_made}", NamespaceProperty = "default", Uid = $"uid-{_made}", CreationTimestamp = Now.UtcDateTime,
            Labels = new Dictionary<string, string> { ["controller-revision-hash"] = hash },
        },
        Spec = new V1PodSpec { NodeName = node },
        Status = new V1PodStatus { Phase = ready ? "Running" : "Pending", Conditions = [new V1PodCondition { Type = "Ready", Status = ready ? "True" : "False" }] },
    };
}
