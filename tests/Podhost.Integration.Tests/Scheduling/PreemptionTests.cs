using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Scheduling;

/// <summary>A pod that fits nowhere makes room for itself. Host ports are what they compete for: nothing of other tests can be a victim.</summary>
public sealed class PreemptionTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    private const string Condition = "?(@.type==\"PodScheduled\")";

    [Fact]
    public async Task A_less_important_pod_leaves_and_the_other_takes_its_place()
    {
        await ClassAsync("preempts", "PreemptLowerPriority");
        const string LeavesWhenTold = "trap 'until [ -e /tmp/go ]; do sleep 0.1; done; exit 0' TERM; sleep 1000 & wait";
        await K.ApplyAsync(ShellPod("low", LeavesWhenTold, Port(39471)).Replace("terminationGracePeriodSeconds: 1\n", "terminationGracePeriodSeconds: 60\n", StringComparison.Ordinal));
        await K.ReadyAsync("low");
        await K.ApplyAsync(ShellPod("high", "sleep 1000", Port(39471), "priorityClassName: preempts"));
        await K.WaitAsync("high", ".status.nominatedNodeName", Cluster.Node);
        await K.ShAsync("low", "touch /tmp/go");
        await K.ReadyAsync("high");
        Assert.Contains("NotFound", (await K.RunAsync("get pod low")).Fails());
        await K.EventAsync("low", "Preempted");
        var uid = await K.FieldAsync("high", ".metadata.uid");
        var message = await K.OkAsync("get events --field-selector reason=Preempted -o", "jsonpath={.items[*].message}");
        Assert.Equal($"Preempted by pod {uid} on node {Cluster.Node}", message);
        await K.OkAsync("delete pod high --timeout=20s");
    }

    [Fact]
    public async Task A_pod_that_never_preempts_waits_and_starts_when_the_other_left()
    {
        await ClassAsync("patient", "Never");
        await K.ApplyAsync(ShellPod("first", "trap 'exit 0' TERM; sleep 1000 & wait", Port(39472)));
        await K.ReadyAsync("first");
        await K.ApplyAsync(ShellPod("second", "sleep 1000", Port(39472), "priorityClassName: patient"));
        await K.EventAsync("second", "FailedScheduling");
        await K.WaitAsync("second", $".status.conditions[{Condition}].reason", "Unschedulable");
        Assert.Equal(
            "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports. preemption: not eligible due to preemptionPolicy=Never.",
            await K.FieldAsync("second", $".status.conditions[{Condition}].message"));
        Assert.Equal("Running", await K.FieldAsync("first", ".status.phase"));
        await K.OkAsync("delete pod first --timeout=20s");
        await K.ReadyAsync("second");
        await K.OkAsync("delete pod second --timeout=20s");
    }

    [Fact]
    public async Task What_somebody_gives_the_node_is_for_pods_at_once()
    {
        await K.OkAsync($"patch node {Cluster.Node} --subresource=status --type=json -p", """[{"op":"add","path":"/status/capacity/example.com~1seats","value":"2"}]""");
        await K.OkAsync($"wait node/{Cluster.Node} --for=jsonpath={{.status.allocatable.example\\.com/seats}}=2 --timeout=5s");
        const string Seats = "resources: {requests: {example.com/seats: 2}, limits: {example.com/seats: 2}}";
        await K.ApplyAsync(ShellPod("seated", "sleep 1000", Seats));
        await K.ReadyAsync("seated");
        await K.ApplyAsync(ShellPod("standing", "sleep 1000", Seats));
        await K.WaitAsync("standing", $".status.conditions[{Condition}].reason", "Unschedulable");
        await K.OkAsync("delete pods seated standing --timeout=20s");
        await K.OkAsync($"patch node {Cluster.Node} --subresource=status --type=json -p", """[{"op":"remove","path":"/status/capacity/example.com~1seats"}]""");
    }

    [Fact]
    public async Task A_gated_pod_waits_for_its_gate()
    {
        await K.ApplyAsync(ShellPod("gated", "sleep 1000", podMore: "schedulingGates: [{name: example.com/wait}]"));
        Assert.Equal("SchedulingGated", await K.FieldAsync("gated", $".status.conditions[{Condition}].reason"));
        Assert.Matches(@"gated\s+0/1\s+SchedulingGated", await K.OkAsync("get pod gated"));
        await K.OkAsync("patch pod gated --type=json -p", """[{"op":"remove","path":"/spec/schedulingGates"}]""");
        await K.ReadyAsync("gated");
        await K.OkAsync("delete pod gated --timeout=20s");
    }

    private static string Port(int port) => $"ports: [{{containerPort: 80, hostPort: {port}}}]";

    private Task<string> ClassAsync(string name, string policy) => K.ApplyAsync($$"""
        apiVersion: scheduling.k8s.io/v1
        kind: PriorityClass
        metadata: {name: {{name}}}
        value: 1000
        preemptionPolicy: {{policy}}
        """);
}
