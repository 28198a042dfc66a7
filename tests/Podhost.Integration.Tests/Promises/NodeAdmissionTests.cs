using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Promises;

/// <summary>Pods that nobody scheduled: the node itself says what it has no room for.</summary>
public sealed class NodeAdmissionTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_pod_that_is_bound_by_its_author_runs_where_it_fits_and_is_rejected_where_not()
    {
        await K.ApplyAsync(Bound("fits", "cpu: 10m"));
        await K.ApplyAsync(Bound("cores", "cpu: 1000"));
        await K.ApplyAsync(Bound("bytes", "memory: 1000Ti"));
        await K.ApplyAsync(Bound("disk", "ephemeral-storage: 1000Ti"));
        await RejectedAsync("cores", "OutOfcpu", @"Node didn't have enough resource: cpu, requested: 1000000, used: \d+, capacity: \d+");
        await RejectedAsync("bytes", "OutOfmemory", @"Node didn't have enough resource: memory, requested: 1099511627776000, used: \d+, capacity: \d+");
        await RejectedAsync("disk", "OutOfephemeral-storage", @"Node didn't have enough resource: ephemeral-storage, requested: 1099511627776000, used: \d+, capacity: \d+");
        await K.ReadyAsync("fits");
        Assert.Equal(Cluster.Node, await K.FieldAsync("fits", ".spec.nodeName"));
        Assert.DoesNotContain("Scheduled", await K.OkAsync("get events --field-selector=involvedObject.name=fits -o", "jsonpath={.items[*].reason}"));
        await K.OkAsync("delete pod fits cores bytes disk --grace-period=0 --force");
    }

    [Fact]
    public async Task A_static_pod_that_does_not_fit_is_rejected_in_its_mirror()
    {
        var file = Path.Combine(Cluster.StaticPods, "vast.yaml");
        await File.WriteAllTextAsync(file, ShellPod("vast", "sleep 1000", "resources: {requests: {cpu: 1000}}"));
        var all = Cluster.Kubectl;
        var name = $"vast-{Cluster.Node}";
        await all.OkAsync($"wait pod/{name} --for=create --timeout=40s");

        // A static pod is critical: others would leave for it, were that of any use.
        await all.WaitAsync(name, ".status.reason", "UnexpectedAdmissionError");
        Assert.Matches(@"^Failed Pod was rejected: Unexpected error while attempting to recover from admission failure: preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: \[\(res: cpu, q: \d+\), \]$", await all.FieldAsync(name, ".status.phase} {.status.message"));
        File.Delete(file);
        await all.OkAsync($"wait pod/{name} --for=delete --timeout=40s");
    }

    private async Task RejectedAsync(string pod, string reason, string message)
    {
        await K.WaitAsync(pod, ".status.reason", reason);
        Assert.Matches($"^Failed Pod was rejected: {message}$", await K.FieldAsync(pod, ".status.phase} {.status.message"));
        await K.EventAsync(pod, reason);
        Assert.Equal("", await K.FieldAsync(pod, ".status.containerStatuses[0].containerID"));
    }

    private string Bound(string name, string requests) =>
        ShellPod(name, "sleep 1000", $"resources: {{requests: {{{requests}}}}}", $"nodeName: {Cluster.Node}");
}
