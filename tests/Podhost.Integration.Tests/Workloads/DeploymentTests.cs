using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Workloads;

/// <summary>Deployments and their ReplicaSets, as kubectl drives them.</summary>
public sealed class DeploymentTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_deployment_is_created_scaled_updated_and_rolled_back()
    {
        await K.ApplyAsync(Deployment("web", 2, "1"));
        await K.OkAsync("rollout status deployment/web --timeout=60s");
        Assert.Contains("2/2", await K.OkAsync("get deployment web"));

        await K.OkAsync("scale deployment web --replicas=3");
        await K.OkAsync("rollout status deployment/web --timeout=60s");
        Assert.Equal("3", await K.OkAsync("get deployment web -o jsonpath={.status.availableReplicas}"));

        await K.OkAsync("set env deployment/web VERSION=2");
        await K.OkAsync("rollout status deployment/web --timeout=60s");
        var history = await K.OkAsync("rollout history deployment/web");
        Assert.Matches(@"(?m)^1\s", history);
        Assert.Matches(@"(?m)^2\s", history);

        await K.OkAsync("rollout undo deployment/web");
        await K.OkAsync("rollout status deployment/web --timeout=60s");
        Assert.Equal("1", await K.OkAsync("get deployment web -o jsonpath={.spec.template.spec.containers[0].env[0].value}"));
        Assert.Equal("3", await K.OkAsync("get deployment web -o jsonpath={.metadata.annotations['deployment\\.kubernetes\\.io/revision']}"));
        var events = await K.OkAsync("get events --field-selector involvedObject.name=web,reason=ScalingReplicaSet");
        Assert.Contains("from 2 to 3", events);

        await K.OkAsync("delete deployment web");
        await K.OkAsync("wait --for=delete pods -l app=web --timeout=60s");
        Assert.Equal("", (await K.OkAsync("get replicasets -l app=web -o name")).Trim());
    }

    [Fact]
    public async Task A_deleted_pod_is_replaced_and_an_orphan_adopted()
    {
        await K.ApplyAsync(Deployment("kept", 1, "1"));
        await K.OkAsync("rollout status deployment/kept --timeout=60s");
        var pod = (await K.OkAsync("get pods -l app=kept -o name")).Trim();
        await K.OkAsync($"delete {pod} --wait=false");
        await K.OkAsync("rollout status deployment/kept --timeout=60s");
        await K.OkAsync($"wait --for=delete {pod} --timeout=60s");
        var other = (await K.OkAsync("get pods -l app=kept -o name")).Trim();
        Assert.NotEqual(pod, other);

        // The set goes and leaves its pod; the next set of that template takes it.
        await K.ReplaceAsync((await K.OkAsync("get replicasets -l app=kept -o name")).Trim(), "--cascade=orphan");
        await K.OkAsync("rollout status deployment/kept --timeout=60s");
        Assert.Equal(other, (await K.OkAsync("get pods -l app=kept -o name")).Trim());
        await K.OkAsync("delete deployment kept");
    }

    [Fact]
    public async Task A_rollout_that_cannot_start_keeps_the_old_pods()
    {
        await K.ApplyAsync(Deployment("firm", 2, "1"));
        await K.OkAsync("rollout status deployment/firm --timeout=60s");
        await K.OkAsync("set image deployment/firm main=nowhere.invalid/x:1");
        await K.OkAsync("wait deployment firm --for=jsonpath={.status.updatedReplicas}=1 --timeout=60s");
        Assert.Equal("2", await K.OkAsync("get deployment firm -o jsonpath={.status.availableReplicas}"));
        await K.OkAsync("rollout undo deployment/firm");
        await K.OkAsync("rollout status deployment/firm --timeout=60s");
        await K.OkAsync("delete deployment firm");
    }

    [Fact]
    public async Task A_status_changes_no_labels_and_an_annotation_is_a_change_of_the_deployment()
    {
        await K.ApplyAsync(Deployment("told", 1, "1"));
        await K.OkAsync("rollout status deployment/told --timeout=60s");
        Assert.Equal("1", await K.OkAsync("get deployment told -o jsonpath={.metadata.generation}"));
        await K.OkAsync("""patch deployment told --subresource=status --type=strategic -p {"metadata":{"labels":{"new":"label"},"annotations":{"new":"note"}}}""");
        Assert.Equal("1,note,", await K.OkAsync("get deployment told -o jsonpath={.metadata.generation},{.metadata.annotations.new},{.metadata.labels.new}"));
        await K.OkAsync("annotate deployment told other=note");
        Assert.Equal("2", await K.OkAsync("get deployment told -o jsonpath={.metadata.generation}"));

        // The older word for undo.
        await K.OkAsync("set env deployment/told VERSION=2");
        await K.OkAsync("rollout status deployment/told --timeout=60s");
        await K.OkAsync("annotate deployment told deprecated.deployment.rollback.to=0");
        await K.OkAsync("wait deployment/told --for=jsonpath={.spec.template.spec.containers[0].env[0].value}=1 --timeout=60s");
        await K.OkAsync("rollout status deployment/told --timeout=60s");
        Assert.Contains("DeploymentRollback", await K.OkAsync("get events --field-selector involvedObject.name=told"));
        await K.OkAsync("delete deployment told");
    }

    [Fact]
    public async Task A_selector_must_find_the_template()
    {
        var refused = await K.RunAsync(["apply", "-f", "-"], Deployment("odd", 1, "1").Replace("matchLabels: {app: odd}", "matchLabels: {app: even}", StringComparison.Ordinal));
        Assert.NotEqual(0, refused.Code);
        Assert.Contains("`selector` does not match template `labels`", refused.Error);
    }

    private static string Deployment(string name, int replicas, string version) =>
        Manifests.Deployment(name, replicas, $$"""env: [{name: VERSION, value: "{{version}}"}]""");
}
