using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Workloads;

/// <summary>kubectl drain, cordon and uncordon on an instance of their own: nothing of other tests runs on its node.</summary>
public sealed class DrainTests(ClusterFixture cluster)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_drain_asks_before_it_takes_waits_for_budgets_and_leaves_daemon_sets()
    {
        Assert.SkipWhen(cluster.CannotRun is not null, cluster.CannotRun ?? "");
        await using var instance = await Instance.StartAsync();
        await ClusterFixture.LoadImagesAsync(instance);
        var (k, node) = (instance.Kubectl, instance.Node);
        await k.ApplyAsync(Manifests.Deployment("web", 1, "") + "\n---\n" + Manifests.Deployment("scratch", 1, "volumeMounts: [{name: data, mountPath: /data}]")
            .Replace("      containers:\n", "      volumes: [{name: data, emptyDir: {}}]\n      containers:\n", StringComparison.Ordinal) + "\n---\n" + DaemonSet + "\n---\n" + Bare);
        foreach (var owner in new[] { "deployment/web", "deployment/scratch", "daemonset/agent" })
        {
            await k.OkAsync($"rollout status {owner} --timeout=60s");
        }

        await k.ReadyAsync("bare");
        await k.OkAsync("create poddisruptionbudget web --selector=app=web --min-available=1");
        await k.OkAsync("wait pdb web --for=jsonpath={.status.currentHealthy}=1 --timeout=60s");

        // Without permission nothing goes, but the node takes no more pods.
        var refused = (await k.RunAsync($"drain {node}")).Fails();
        Assert.Contains("cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)", refused);
        Assert.Contains("cannot delete Pods with local storage (use --delete-emptydir-data to override)", refused);
        Assert.Contains("cannot delete Pods that declare no controller (use --force to override)", refused);
        Assert.Contains("SchedulingDisabled", await k.OkAsync($"get node {node}"));
        Assert.Equal(4, (await k.OkAsync("get pods --field-selector=status.phase=Running -o name")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);

        // The budget is refused with 429, which kubectl takes as a wait.
        using (var drain = k.Start($"drain {node} --ignore-daemonsets --delete-emptydir-data --force --timeout=60s"))
        {
            for (string? line = ""; !line.Contains("will retry after", StringComparison.Ordinal);)
            {
                line = await drain.StandardError.ReadLineAsync().WaitAsync(Patience) ?? throw new InvalidOperationException("the drain ended before the budget let it");
                Assert.DoesNotContain("error: unable to drain", line);
            }

            await k.OkAsync("wait --for=delete pod/bare --timeout=60s");
            await k.OkAsync("delete pdb web");
            Assert.Contains($"node/{node} drained", await drain.StandardOutput.ReadToEndAsync().WaitAsync(Patience));
            await drain.WaitForExitAsync().WaitAsync(Patience);
            Assert.Equal(0, drain.ExitCode);
        }

        // What is made anew waits; the daemon stays.
        Assert.Equal("1", await k.OkAsync("get daemonset agent -o jsonpath={.status.numberReady}"));
        await k.OkAsync("wait pods -l app=web --for=condition=PodScheduled=False --timeout=60s");
        Assert.StartsWith(
            "0/1 nodes are available: 1 node(s) were unschedulable.",
            await k.OkAsync("get pods -l app=web -o", "jsonpath={.items[*].status.conditions[?(@.type==\"PodScheduled\")].message}"));
        await k.OkAsync($"uncordon {node}");
        await k.OkAsync("rollout status deployment/web --timeout=60s");
        await k.OkAsync("rollout status deployment/scratch --timeout=60s");
        Assert.DoesNotContain("SchedulingDisabled", await k.OkAsync($"get node {node}"));
        Assert.Equal("", await k.OkAsync($"get node {node} -o jsonpath={{.spec.taints}}"));

        // The rules of aggregated roles are written by a controller, also those of labels that come later.
        await k.OkAsync("create clusterrole reviews --verb=create --resource=tokenreviews.authentication.k8s.io");
        await k.OkAsync("label clusterrole reviews rbac.authorization.k8s.io/aggregate-to-view=true");
        await k.OkAsync("wait clusterrole/admin --timeout=40s", "--for=jsonpath={.rules[?(@.resources[0]==\"tokenreviews\")].verbs[0]}=create");
    }

    private static string DaemonSet => Manifests.Deployment("agent", 1, "")
        .Replace("kind: Deployment", "kind: DaemonSet", StringComparison.Ordinal).Replace("replicas: 1", "minReadySeconds: 0", StringComparison.Ordinal);

    private static string Bare => """
        apiVersion: v1
        kind: Pod
        metadata: {name: bare}
        spec:
          terminationGracePeriodSeconds: 1
          containers:
          - name: main
            image: busybox:stable
            command: [sleep, "1000"]
        """;
}
