using CsCheck;
using k8s.Models;
using Podhost.Control.Scheduler;
using Podhost.Control.Scheduler.Model;
using Podhost.Control.Scheduler.Preemption;

namespace Podhost.Control.Tests;

public sealed class PreemptionTests
{
    [Fact]
    public void Nobody_is_less_important() => Assert.Equal(
        "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
        Told(Pod("p", "3", 0), [Objects.Node("a")], Pod("v", "2", 0, "a")));

    [Fact]
    public void More_than_the_whole_node() => Assert.Equal(
        "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
        Told(Pod("p", "5", 10), [Objects.Node("a")], Pod("v", "2", 0, "a")));

    [Fact]
    public void A_pod_that_may_not()
    {
        var pod = Pod("p", "3", 10);
        pod.Spec.PreemptionPolicy = "Never";
        Assert.Equal(
            "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.",
            Told(pod, [Objects.Node("a")], Pod("v", "2", 0, "a")));
    }

    [Fact]
    public void Different_reasons_are_counted()
    {
        var cordoned = Objects.Node("b");
        cordoned.Spec.Unschedulable = true;
        Assert.Equal(
            "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable. preemption: 0/2 nodes are available: "
            + "1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.",
            Told(Pod("p", "3", 0), [Objects.Node("a"), cordoned], Pod("v", "2", 0, "a")));
    }

    [Fact]
    public void Victims_of_an_earlier_try_are_waited_for()
    {
        var pod = Pod("p", "3", 10);
        pod.Status = new V1PodStatus { NominatedNodeName = "a" };
        var victim = Pod("v", "2", 0, "a");
        victim.Metadata.DeletionTimestamp = DateTime.UnixEpoch;
        victim.Status.Conditions = [new V1PodCondition { Type = "DisruptionTarget", Status = "True", Reason = "PreemptionByScheduler" }];
        Assert.Equal(
            "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to a terminating pod on the nominated node.",
            Told(pod, [Objects.Node("a")], victim));
    }

    [Fact]
    public void The_fewest_and_least_important_leave()
    {
        var result = Preempt(Pod("p", "2", 10), [Objects.Node("a")], [], Pod("low", "2", 1, "a"), Pod("lower", "1", 0, "a"), Pod("mid", "1", 5, "a"));
        Assert.Equal("a", result.NodeName);
        Assert.Equal(["low"], result.Victims.Select(v => v.Pod.Metadata.Name));
    }

    [Fact]
    public void The_node_with_the_less_important_victims_is_chosen()
    {
        var result = Preempt(Pod("p", "3", 10), [Objects.Node("a"), Objects.Node("b")], [], Pod("five", "3", 5, "a"), Pod("one", "3", 1, "b"));
        Assert.Equal(("b", "one"), (result.NodeName, result.Victims.Single().Pod.Metadata.Name));
    }

    [Fact]
    public void A_disruption_budget_counts_more_than_importance()
    {
        var budget = new V1PodDisruptionBudget
        {
            Metadata = new V1ObjectMeta { Name = "keep", NamespaceProperty = "default" },
            Spec = new V1PodDisruptionBudgetSpec { Selector = new V1LabelSelector { MatchLabels = new Dictionary<string, string> { ["keep"] = "me" } } },
            Status = new V1PodDisruptionBudgetStatus { DisruptionsAllowed = 0 },
        };
        var kept = Pod("one", "3", 1, "b");
        kept.Metadata.Labels = new Dictionary<string, string> { ["keep"] = "me" };
        var result = Preempt(Pod("p", "3", 10), [Objects.Node("a"), Objects.Node("b")], [budget], Pod("five", "3", 5, "a"), kept);
        Assert.Equal("a", result.NodeName);
    }

    [Fact]
    public void A_more_important_pod_that_was_nominated_keeps_its_room()
    {
        var nominated = new PodView(Pod("n", "3", 20));
        var cache = new ClusterCache();
        cache.PutNode(Objects.Node("a"));
        cache.Nominate(nominated, "a");
        Assert.Null(SchedulingDecider.Decide(new PodView(Pod("p", "2", 10)), cache.View()).NodeName);
        Assert.Equal("a", SchedulingDecider.Decide(new PodView(Pod("p", "2", 30)), cache.View()).NodeName);
        Assert.Equal("a", SchedulingDecider.Decide(nominated, cache.View()).NodeName);
    }

    [Fact]
    public void After_its_victims_left_the_pod_fits_and_no_victim_could_have_stayed_nor_was_as_important() =>
        Gen.Select(Gen.Select(Gen.Int[1, 4], Gen.Int[0, 9], Gen.Int[0, 2]).Array[1, 12], Gen.Int[1, 4], Gen.Int[1, 9]).Sample((running, cpu, priority) =>
        {
            V1Node[] nodes = [Objects.Node("n0"), Objects.Node("n1"), Objects.Node("n2")];
            var pods = Placed(running);
            var pod = new PodView(Pod("p", $"{cpu}", priority));
            var cluster = Cluster(nodes, pods);
            var refused = SchedulingDecider.Decide(pod, cluster);
            if (refused.NodeName is not null || PreemptionDecider.Decide(pod, cluster, refused, DisruptionBudgets.None) is not { NodeName: { } node } result)
            {
                return;
            }

            Assert.All(result.Victims, v => Assert.True(v.Priority < priority));
            var left = cluster.Find(node)!.Without(result.Victims.Select(v => v.Uid).ToHashSet());
            Assert.Null(SchedulingDecider.Check(new PodCycle(pod, cluster.With(left)), left));
            Assert.All(result.Victims, v => Assert.NotNull(SchedulingDecider.Check(new PodCycle(pod, cluster.With(left.With(v))), left.With(v))));
        }, iter: 500);

    private static V1Pod[] Placed((int Cpu, int Priority, int Node)[] running)
    {
        var free = new[] { 4, 4, 4 };
        var placed = new List<V1Pod>();
        foreach (var (cpu, priority, node) in running.Where(r => free[r.Node] >= r.Cpu))
        {
            // What does not fit any more is left out: nodes are full, never over-full.
            if (free[node] >= cpu)
            {
                free[node] -= cpu;
                placed.Add(Pod($"v{placed.Count}", $"{cpu}", priority, $"n{node}"));
            }
        }

        return [.. placed];
    }

    private static string Told(V1Pod pod, V1Node[] nodes, params V1Pod[] running)
    {
        var cluster = Cluster(nodes, running);
        var refused = SchedulingDecider.Decide(new PodView(pod), cluster);
        return $"{refused.Message} preemption: {PreemptionDecider.Decide(new PodView(pod), cluster, refused, DisruptionBudgets.None).Message}";
    }

    private static PreemptionResult Preempt(V1Pod pod, V1Node[] nodes, V1PodDisruptionBudget[] budgets, params V1Pod[] running)
    {
        var cluster = Cluster(nodes, running);
        return PreemptionDecider.Decide(new PodView(pod), cluster, SchedulingDecider.Decide(new PodView(pod), cluster), new DisruptionBudgets(budgets));
    }

    private static ClusterView Cluster(V1Node[] nodes, V1Pod[] running) => ClusterView.Build(nodes, running.Select(p => new PodView(p)), new Dictionary<string, string>(), []);

    private static V1Pod Pod(string name, string cpu, int priority, string? node = null)
    {
        var pod = Objects.Asking(name, cpu, "1Mi");
        pod.Spec.Priority = priority;
        pod.Spec.NodeName = node;
        pod.Status = new V1PodStatus();
        return pod;
    }
}
