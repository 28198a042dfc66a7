using k8s.Models;
using Podhost.Control.Controllers.NodeLifecycle;

namespace Podhost.Control.Tests;

public sealed class NodeLifecycleTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly NodeLifecycleOptions Options = new();

    [Fact]
    public void A_node_is_lost_after_the_grace_since_its_lease_or_status_was_seen_to_change()
    {
        var node = Node("a", "True");
        var first = NodeHealth.Of(null, node, Lease(0), Now);
        Assert.Equal(Now.AddSeconds(50), first.ExpiresAt(Options));
        Assert.Same(first, NodeHealth.Of(first, node, Lease(0), Now.AddSeconds(20)));
        var renewed = NodeHealth.Of(first, node, Lease(10), Now.AddSeconds(30));
        Assert.Equal(Now.AddSeconds(80), renewed.ExpiresAt(Options));

        // A lease that is missing from the copy is no sign of life; a status is.
        Assert.Same(renewed, NodeHealth.Of(renewed, node, null, Now.AddSeconds(40)));
        node.Status.Conditions[0].LastHeartbeatTime = Now.AddSeconds(45).UtcDateTime;
        Assert.Equal(Now.AddSeconds(95), NodeHealth.Of(renewed, node, Lease(10), Now.AddSeconds(45)).ExpiresAt(Options));
    }

    [Fact]
    public void A_node_that_never_posted_gets_the_longer_grace_and_its_own_reason()
    {
        var node = Objects.Node("a");
        node.Metadata.CreationTimestamp = Now.UtcDateTime;
        Assert.Equal(Now.AddSeconds(60), NodeHealth.Of(null, node, null, Now).ExpiresAt(Options));
        var conditions = NodeLifecycleRules.Expired(node, Now.AddSeconds(60).UtcDateTime);
        Assert.Equal(["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"], conditions.Select(c => c.Type));
        Assert.All(conditions, c => Assert.Equal(
            ("Unknown", "NodeStatusNeverUpdated", "Kubelet never posted node status.", Now.UtcDateTime), (c.Status, c.Reason, c.Message, c.LastHeartbeatTime!.Value)));
    }

    [Fact]
    public void Marking_a_silent_node_keeps_its_heartbeats_is_no_beat_itself_and_is_done_once()
    {
        var node = Node("a", "True");
        var health = NodeHealth.Of(null, node, Lease(0), Now);
        var ready = NodeLifecycleRules.Expired(node, Now.AddSeconds(50).UtcDateTime)[0];
        Assert.Equal(
            ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.", Now.UtcDateTime, Now.AddSeconds(50).UtcDateTime),
            (ready.Status, ready.Reason, ready.Message, ready.LastHeartbeatTime!.Value, ready.LastTransitionTime!.Value));
        node.Status.Conditions = [.. NodeLifecycleRules.Expired(node, Now.AddSeconds(50).UtcDateTime)];
        Assert.Empty(NodeLifecycleRules.Expired(node, Now.AddSeconds(60).UtcDateTime));
        Assert.Same(health, NodeHealth.Of(health, node, Lease(0), Now.AddSeconds(60)));
    }

    [Theory]
    [InlineData("True", null)]
    [InlineData("False", "node.kubernetes.io/not-ready")]
    [InlineData("Unknown", "node.kubernetes.io/unreachable")]
    public void The_taint_that_evicts_follows_the_ready_condition(string ready, string? key)
    {
        var node = Node("a", ready);
        node.Spec.Taints =
        [
            new V1Taint { Key = "mine", Effect = "NoExecute" },
            new V1Taint { Key = "node.kubernetes.io/unreachable", Effect = "NoSchedule" },
            new V1Taint { Key = key == "node.kubernetes.io/unreachable" ? "node.kubernetes.io/not-ready" : "node.kubernetes.io/unreachable", Effect = "NoExecute" },
        ];
        V1Node[] all = [node, Node("b", "True")];
        var taints = NodeLifecycleRules.Taints(node, all, Now.UtcDateTime)!;
        Assert.Equal(
            new[] { "mine NoExecute", "node.kubernetes.io/unreachable NoSchedule" }.Concat(key is null ? [] : [$"{key} NoExecute"]),
            taints.Select(t => $"{t.Key} {t.Effect}"));
        Assert.Equal(key is null ? null : Now.UtcDateTime, taints[^1].TimeAdded);
        node.Spec.Taints = [.. taints];
        Assert.Null(NodeLifecycleRules.Taints(node, all, Now.AddSeconds(9).UtcDateTime));
    }

    [Fact]
    public void Nothing_is_evicted_where_no_node_is_ready_or_most_of_a_zone_is_lost()
    {
        var lost = Node("a", "Unknown");
        Assert.Null(NodeLifecycleRules.Taints(lost, [lost], Now.UtcDateTime));
        var tainted = Node("b", "Unknown");
        tainted.Spec.Taints = [new V1Taint { Key = "node.kubernetes.io/unreachable", Effect = "NoExecute" }];
        Assert.Empty(NodeLifecycleRules.Taints(tainted, [tainted, lost], Now.UtcDateTime)!);

        V1Node[] zone = [lost, tainted, Node("c", "Unknown"), Node("d", "True"), Node("e", "True")];
        Assert.Null(NodeLifecycleRules.Taints(lost, zone, Now.UtcDateTime));
        Assert.Null(NodeLifecycleRules.Taints(tainted, zone, Now.UtcDateTime));
        Assert.NotNull(NodeLifecycleRules.Taints(lost, [.. zone, Node("f", "True")], Now.UtcDateTime));
    }

    private static V1Node Node(string name, string ready)
    {
        var node = Objects.Node(name);
        node.Status.Conditions = new[] { "Ready", "MemoryPressure", "DiskPressure", "PIDPressure" }.Select(t => new V1NodeCondition
        {
            Type = t, Status = t == "Ready" ? ready : "False", LastHeartbeatTime = Now.UtcDateTime, LastTransitionTime = Now.UtcDateTime,
        }).ToList();
        return node;
    }

    private static V1Lease Lease(int seconds) => new() { Spec = new V1LeaseSpec { RenewTime = Now.AddSeconds(seconds).UtcDateTime } };
}
