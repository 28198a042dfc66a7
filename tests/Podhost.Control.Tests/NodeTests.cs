using k8s.Models;
using Podhost.Control.Controllers.NodeTaints;
using Podhost.Control.Controllers.PodGarbage;
using Podhost.Control.Controllers.TaintEviction;

namespace Podhost.Control.Tests;

public sealed class NodeTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Taints_follow_conditions_and_taints_of_others_stay()
    {
        var node = Objects.Node("a");
        node.Spec.Taints = [new V1Taint { Key = "mine", Effect = "NoSchedule" }, new V1Taint { Key = "node.kubernetes.io/disk-pressure", Effect = "NoSchedule" }];
        node.Spec.Unschedulable = true;
        node.Status.Conditions = [new V1NodeCondition { Type = "Ready", Status = "False" }];
        var wanted = NodeTaintRules.Wanted(node, Now.UtcDateTime)!;
        Assert.Equal(["mine", "node.kubernetes.io/not-ready", "node.kubernetes.io/unschedulable"], wanted.Select(t => t.Key));
        node.Spec.Taints = [.. wanted];
        Assert.Null(NodeTaintRules.Wanted(node, Now.UtcDateTime));
    }

    [Fact]
    public void A_pod_leaves_at_once_after_its_seconds_or_never()
    {
        var node = Objects.Node("a");
        node.Spec.Taints = [new V1Taint { Key = "k", Value = "v", Effect = "NoExecute", TimeAdded = Now.UtcDateTime }];
        var times = new TaintTimes();
        Assert.Equal(Now.AddSeconds(5), TaintEvictionRules.EvictAt(Tolerating(null), node, times, Now.AddSeconds(5)));
        var brief = Tolerating(new V1Toleration { Key = "k", OperatorProperty = "Exists", TolerationSeconds = 30 });
        Assert.Equal(Now.AddSeconds(30), TaintEvictionRules.EvictAt(brief, node, times, Now.AddSeconds(5)));
        Assert.Null(TaintEvictionRules.EvictAt(Tolerating(new V1Toleration { OperatorProperty = "Exists" }), node, times, Now));

        // A pod that came after the taint has all of its seconds.
        brief.Metadata.CreationTimestamp = Now.AddSeconds(7).UtcDateTime;
        Assert.Equal(Now.AddSeconds(37), TaintEvictionRules.EvictAt(brief, node, times, Now.AddSeconds(8)));
        node.Spec.Taints[0].Effect = "NoSchedule";
        Assert.Null(TaintEvictionRules.EvictAt(Tolerating(null), node, times, Now));
    }

    [Fact]
    public void A_taint_that_does_not_say_since_when_counts_from_when_it_was_seen_first()
    {
        var (node, times) = (Objects.Node("a"), new TaintTimes());
        var brief = Tolerating(new V1Toleration { Key = "k", OperatorProperty = "Exists", TolerationSeconds = 30 });
        node.Spec.Taints = [new V1Taint { Key = "k", Value = "v", Effect = "NoExecute" }];
        times.See(node, Now);
        times.See(node, Now.AddSeconds(10));
        Assert.Equal(Now.AddSeconds(30), TaintEvictionRules.EvictAt(brief, node, times, Now.AddSeconds(20)));

        // Taken away and put there again, it begins anew.
        node.Spec.Taints = [];
        times.See(node, Now.AddSeconds(21));
        node.Spec.Taints = [new V1Taint { Key = "k", Value = "v", Effect = "NoExecute" }];
        times.See(node, Now.AddSeconds(22));
        Assert.Equal(Now.AddSeconds(52), TaintEvictionRules.EvictAt(brief, node, times, Now.AddSeconds(23)));
    }

    [Fact]
    public void Too_many_terminated_pods_go_evicted_ones_first_then_the_oldest()
    {
        var pods = Enumerable.Range(0, 4).Select(i =>
        {
            var pod = Objects.Pod($"p{i}", "10.0.0.1", ready: false);
            pod.Metadata.CreationTimestamp = Now.AddMinutes(i).UtcDateTime;
            pod.Status.Phase = i == 0 ? "Running" : "Failed";
            pod.Status.Reason = i == 3 ? "Evicted" : null;
            return pod;
        }).ToList();
        Assert.Equal(["p3", "p1"], PodGarbageRules.AboveThreshold(pods, 1).Select(p => p.Metadata.Name));
        Assert.Empty(PodGarbageRules.AboveThreshold(pods, 3));
        Assert.Empty(PodGarbageRules.AboveThreshold(pods, 0));
    }

    private static V1Pod Tolerating(V1Toleration? toleration)
    {
        var pod = Objects.Pod("p", "10.0.0.1", ready: true);
        pod.Spec.Tolerations = toleration is null ? null : [toleration];
        return pod;
    }
}
