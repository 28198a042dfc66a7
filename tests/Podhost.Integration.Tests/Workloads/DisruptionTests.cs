using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Workloads;

/// <summary>Evictions and the budgets that hold them back. The node is not cordoned: other tests run on it.</summary>
public sealed class DisruptionTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task An_eviction_is_let_through_while_the_budget_allows_it()
    {
        await K.ApplyAsync(Deployment("kept", 2, "true"));
        await K.OkAsync("rollout status deployment/kept --timeout=60s");
        await K.OkAsync("create poddisruptionbudget kept --selector=app=kept --min-available=2");
        await K.OkAsync("wait pdb kept --for=jsonpath={.status.currentHealthy}=2 --timeout=60s");
        Assert.Matches(@"(?m)^kept\s+2\s+N/A\s+0\s", await K.OkAsync("get pdb kept"));
        var pod = (await K.OkAsync("get pods -l app=kept -o jsonpath={.items[0].metadata.name}")).Trim();
        var refused = await EvictAsync(pod);
        Assert.NotEqual(0, refused.Code);
        Assert.Contains("Cannot evict pod as it would violate the pod's disruption budget.", refused.Error);
        Assert.Contains("The disruption budget kept needs 2 healthy pods and has 2 currently", refused.Error);

        await K.OkAsync("scale deployment kept --replicas=3");
        await K.OkAsync("wait pdb kept --for=jsonpath={.status.disruptionsAllowed}=1 --timeout=60s");
        (await EvictAsync(pod, "?dryRun=All")).Ok();
        Assert.Equal("1", await K.OkAsync("get pdb kept -o jsonpath={.status.disruptionsAllowed}"));
        (await EvictAsync(pod)).Ok();
        await K.OkAsync($"wait --for=delete pod/{pod} --timeout=60s");
        await K.OkAsync("wait pdb kept --for=jsonpath={.status.disruptionsAllowed}=1 --timeout=60s");
        Assert.Equal("", await K.OkAsync("get pdb kept -o jsonpath={.status.disruptedPods}"));
        await K.OkAsync("delete deployment,pdb kept");
    }

    [Fact]
    public async Task An_unready_pod_goes_where_the_budget_says_so_and_two_budgets_are_an_error()
    {
        await K.ApplyAsync(Deployment("ill", 1, "false"));
        await K.OkAsync("create poddisruptionbudget ill --selector=app=ill --max-unavailable=0");
        await K.OkAsync("wait pdb ill --for=jsonpath={.status.desiredHealthy}=1 --timeout=60s");
        await K.OkAsync("wait pods -l app=ill --for=jsonpath={.status.phase}=Running --timeout=60s");
        var pod = (await K.OkAsync("get pods -l app=ill -o jsonpath={.items[0].metadata.name}")).Trim();
        Assert.Contains("needs 1 healthy pods and has 0 currently", (await EvictAsync(pod)).Error);

        await K.OkAsync("create poddisruptionbudget other --selector=app=ill --max-unavailable=1");
        Assert.Contains("This pod has more than one PodDisruptionBudget", (await EvictAsync(pod)).Error);
        await K.OkAsync("delete pdb other");

        (await K.RunAsync(["patch", "pdb", "ill", "-p", """{"spec":{"unhealthyPodEvictionPolicy":"AlwaysAllow"}}"""], null)).Ok();
        (await EvictAsync(pod)).Ok();
        await K.OkAsync($"wait --for=delete pod/{pod} --timeout=60s");
        await K.OkAsync("delete deployment,pdb ill");
    }

    [Fact]
    public async Task A_budget_has_one_bound()
    {
        var refused = await K.RunAsync(["apply", "-f", "-"], """
            apiVersion: policy/v1
            kind: PodDisruptionBudget
            metadata: {name: odd}
            spec: {minAvailable: 1, maxUnavailable: 101%, selector: {matchLabels: {app: x}}}
            """);
        Assert.Contains("minAvailable and maxUnavailable cannot be both set", refused.Error);
        Assert.Contains("must not be greater than 100%", refused.Error);
    }

    // The causes of a refusal are only told with the answer's body.
    private Task<Ran> EvictAsync(string pod, string query = "") => K.RunAsync(
        ["create", "-v=8", "--raw", $"/api/v1/namespaces/{K.Namespace}/pods/{pod}/eviction{query}", "-f", "-"],
        $$$"""{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"{{{pod}}}","namespace":"{{{K.Namespace}}}"}}""");

    private static string Deployment(string name, int replicas, string ready) =>
        Manifests.Deployment(name, replicas, $$"""readinessProbe: {exec: {command: ["{{ready}}"]}, periodSeconds: 1}""");
}
