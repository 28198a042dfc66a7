using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Promises;

/// <summary>RuntimeClass: the handler that runs a pod, its overhead in admission, scheduling and the cgroup, and classes that are not there.</summary>
public sealed class RuntimeClassTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task The_overhead_of_a_class_is_the_pods_in_the_cgroup_and_for_the_scheduler()
    {
        var handler = await HandlerAsync();
        await ClassAsync("heavy", handler, "{memory: 64Mi, cpu: 200m}");
        await K.ApplyAsync(ShellPod("heavy", "sleep 1000", "resources: {limits: {memory: 64Mi, cpu: 100m}}", "runtimeClassName: heavy"));
        await K.ReadyAsync("heavy");
        Assert.Equal("64Mi 200m", await K.FieldAsync("heavy", ".spec.overhead.memory} {.spec.overhead.cpu"));
        Assert.Matches(@"\sheavy\s+300m \(\d+%\)\s+300m \(\d+%\)\s+128Mi", await K.OkAsync("describe node", Cluster.Node));
        var uid = await K.FieldAsync("heavy", ".metadata.uid");
        var limit = PodTraces.Cgroups(Cluster, uid)
            .SelectMany(c => new[] { "memory.limit_in_bytes", "memory.max" }.Select(file => Path.Combine(c, file))).Single(File.Exists);
        Assert.Equal($"{128 << 20}", (await File.ReadAllTextAsync(limit)).Trim());

        // What the pod and its overhead need together decides where it fits.
        await ClassAsync("enormous", handler, "{memory: 900Gi}");
        await K.ApplyAsync(ShellPod("enormous", "sleep 1000", podMore: "runtimeClassName: enormous"));
        await K.EventAsync("enormous", "FailedScheduling");
        Assert.Contains("Insufficient memory", await K.FieldAsync("enormous", ".status.conditions[0].message"));
        await K.OkAsync("delete pod enormous heavy --timeout=30s");
        await K.OkAsync("delete runtimeclass heavy enormous");
    }

    [Fact]
    public async Task A_class_that_does_not_exist_and_an_overhead_without_one_are_refused()
    {
        var missing = (await K.RunAsync(["apply", "-f", "-"], ShellPod("missing", "sleep 1000", podMore: "runtimeClassName: missing"))).Fails();
        Assert.Contains("pods \"missing\" is forbidden: pod rejected: RuntimeClass \"missing\" not found", missing);
        var overhead = (await K.RunAsync(["apply", "-f", "-"], ShellPod("overhead", "sleep 1000", podMore: "overhead: {memory: 1Mi}"))).Fails();
        Assert.Contains("pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead", overhead);

        await ClassAsync("gone", await HandlerAsync(), null);
        await K.OkAsync("delete runtimeclass gone");
        Assert.Contains("RuntimeClass \"gone\" not found", (await K.RunAsync(["apply", "-f", "-"], ShellPod("gone", "sleep 1000", podMore: "runtimeClassName: gone"))).Fails());
    }

    [Fact]
    public async Task A_pod_whose_handler_the_node_does_not_have_is_told_so_and_does_not_start()
    {
        await ClassAsync("strange", "strange", null);
        await K.ApplyAsync(ShellPod("strange", "sleep 1000", podMore: "runtimeClassName: strange"));
        await K.EventAsync("strange", "FailedCreatePodSandBox");
        Assert.Contains("strange", await K.OkAsync("get events --field-selector reason=FailedCreatePodSandBox -o", "jsonpath={.items[*].message}"));
        Assert.Equal("Pending", await K.FieldAsync("strange", ".status.phase"));
        await K.OkAsync("delete pod strange --timeout=30s");
        await K.OkAsync("delete runtimeclass strange");
    }

    // A handler that the node says it has.
    private async Task<string> HandlerAsync()
    {
        Assert.SkipWhen(Instance.OnContainerd, "containerd 1.6 tells no handlers");
        var handlers = (await Cluster.Kubectl.JsonAsync($"get node {Cluster.Node}"))["status"]!["runtimeHandlers"]!.AsArray();
        return handlers.Select(h => h!["name"]?.GetValue<string>() ?? "").First(n => n.Length > 0);
    }

    private Task ClassAsync(string name, string handler, string? overhead) => K.ApplyAsync($$"""
        apiVersion: node.k8s.io/v1
        kind: RuntimeClass
        metadata: {name: {{name}}}
        handler: {{handler}}
        {{(overhead is null ? "" : $"overhead: {{podFixed: {overhead}}}")}}
        """);
}
