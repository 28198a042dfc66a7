using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Policy;

/// <summary>LimitRange and ResourceQuota, as kubectl shows them.</summary>
public sealed class QuotaTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_quota_is_told_in_its_status_and_holds_against_parallel_creates()
    {
        await K.OkAsync("create namespace narrow");
        var narrow = Cluster.Kubectl.In("narrow");
        await narrow.OkAsync("create quota q --hard=pods=2,requests.cpu=1,count/configmaps=3");
        var creates = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => narrow.RunAsync($"create configmap m{i}")));

        // kube-root-ca.crt of the namespace counts too, whether it came before or after the others.
        Assert.InRange(creates.Count(c => c.Code == 0), 2, 3);
        Assert.Contains("is forbidden: exceeded quota: q, requested: count/configmaps=1, used: count/configmaps=3, limited: count/configmaps=3", creates.First(c => c.Code != 0).Error);
        var refused = await narrow.RunAsync("run silent --image=busybox:stable -- sleep 1000");
        Assert.Contains("pods \"silent\" is forbidden: failed quota: q: must specify requests.cpu for: silent", refused.Fails());
        await narrow.ApplyAsync(ShellPod("worker", "sleep 1000", "resources: {requests: {cpu: 600m}}"));
        Assert.Contains(
            "exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1",
            (await narrow.RunAsync(["apply", "-f", "-"], ShellPod("second", "sleep 1000", "resources: {requests: {cpu: 600m}}"))).Fails());
        (await narrow.RunAsync("wait quota/q --timeout=30s", "--for=jsonpath={.status.used.requests\\.cpu}=600m")).Ok();
        var described = await narrow.OkAsync("describe quota q");
        Assert.Matches(@"pods\s+1\s+2", described);
        Assert.Matches(@"count/configmaps\s+3\s+3", described);
        await narrow.OkAsync("delete pod worker --timeout=30s");
        (await narrow.RunAsync("wait quota/q --timeout=30s", "--for=jsonpath={.status.used.pods}=0")).Ok();
        await K.OkAsync("delete namespace narrow --wait=false");
    }

    [Fact]
    public async Task A_limit_range_fills_in_what_a_pod_leaves_out_and_bounds_what_it_says()
    {
        await K.OkAsync("create namespace bounded");
        var bounded = Cluster.Kubectl.In("bounded");
        await bounded.ApplyAsync("""
            apiVersion: v1
            kind: LimitRange
            metadata: {name: r}
            spec:
              limits:
              - {type: Container, default: {memory: 64Mi}, defaultRequest: {cpu: 50m}, max: {cpu: "1"}}
            """);
        await bounded.ApplyAsync(ShellPod("filled", "sleep 1000"));
        await bounded.ReadyAsync("filled");
        Assert.Equal(
            "{\"limits\":{\"cpu\":\"1\",\"memory\":\"64Mi\"},\"requests\":{\"cpu\":\"50m\",\"memory\":\"64Mi\"}}",
            await bounded.FieldAsync("filled", ".spec.containers[0].resources"));
        Assert.Contains(
            "pods \"big\" is forbidden: maximum cpu usage per Container is 1, but limit is 2",
            (await bounded.RunAsync(["apply", "-f", "-"], ShellPod("big", "sleep 1000", "resources: {limits: {cpu: 2}}"))).Fails());
        await K.OkAsync("delete namespace bounded --wait=false");
    }
}
