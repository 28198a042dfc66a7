using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Promises;

/// <summary>In-place resize through kubectl, on an instance of its own: a pod that asks for the whole node would be in others' way.</summary>
public sealed class ResizeTests(ClusterFixture cluster)
{
    private const string Given = ".status.containerStatuses[0].resources.requests.cpu";
    private const string Pending = ".status.conditions[?(@.type==\"PodResizePending\")].reason";

    [Fact]
    public async Task A_resize_is_given_when_there_is_room_and_what_was_given_outlives_the_kubelet()
    {
        Assert.SkipWhen(cluster.CannotRun is not null, cluster.CannotRun ?? "");
        await using var instance = await Instance.StartAsync();
        await ClusterFixture.LoadImagesAsync(instance);
        var k = instance.Kubectl;
        await k.ApplyAsync(Pod("grows"));
        await k.ApplyAsync(Pod("holds"));
        await k.ReadyAsync("grows");
        await k.ReadyAsync("holds");
        var container = await ContainerAsync(k);

        await ResizeAsync(k, "300m");
        await k.WaitAsync("grows", Given, "300m");
        Assert.Contains(Shares(container.Split(' ')[0]), new[] { "307", "12" });
        Assert.Equal("", await k.FieldAsync("grows", ".status.conditions[?(@.type==\"PodResizeInProgress\")].status"));

        await ShrinksAndGrowsAsync(k);

        // All of the node, of which another pod holds a part.
        var all = (await k.OkAsync("get node -o", "jsonpath={.items[0].status.allocatable.cpu}")).Trim();
        await ResizeAsync(k, all);
        await k.WaitAsync("grows", Pending, "Deferred");
        Assert.StartsWith("Node didn't have enough resource: cpu, requested: ", await k.FieldAsync("grows", ".status.conditions[?(@.type==\"PodResizePending\")].message"));
        await k.EventAsync("grows", "ResizeDeferred");

        await instance.KillAsync();
        await instance.UpAsync();
        await k.ReadyAsync("grows");
        Assert.Equal("Deferred 300m", await k.FieldAsync("grows", Pending + "} {" + Given));

        await k.OkAsync("delete pod holds --timeout=30s");
        await k.WaitAsync("grows", Given, all);
        await k.WaitAsync("grows", ".status.containerStatuses[0].allocatedResources.cpu", all);
        Assert.Equal("", await k.FieldAsync("grows", Pending));

        var refused = await k.RunAsync("patch pod grows --subresource resize -p", Patch("1000"));
        Assert.Contains("pods \"grows\" is forbidden: node didn't have enough allocatable resources: cpu, requested: 1000000, allocatable: ", refused.Error, StringComparison.Ordinal);
        Assert.Equal(container, await ContainerAsync(k));

        // The node is full: for a critical pod that its author bound to it somebody leaves.
        var node = (await k.OkAsync("get node -o", "jsonpath={.items[0].metadata.name}")).Trim();
        await k.ApplyAsync(Pod("critical").Replace("spec:", $"spec:\n  nodeName: {node}\n  priorityClassName: system-node-critical", StringComparison.Ordinal));
        await k.WaitAsync("grows", ".status.reason", "Preempting");
        await k.ReadyAsync("critical");
        Assert.Equal("Failed Preempted in order to admit critical pod", await k.FieldAsync("grows", ".status.phase} {.status.message"));
        Assert.Equal(
            "TerminationByKubelet: Pod was preempted by Kubelet to accommodate a critical pod.",
            await k.FieldAsync("grows", ".status.conditions[?(@.type==\"DisruptionTarget\")].reason}: {.status.conditions[?(@.type==\"DisruptionTarget\")].message"));
        await k.EventAsync("grows", "Preempting");
    }

    // The pod's own limits are those of its containers: the kernel refuses a container that would have more than its pod.
    private static async Task ShrinksAndGrowsAsync(Kubectl k)
    {
        await k.ApplyAsync(Pod("bound").Replace("{requests: {cpu: 100m} }", "{limits: {cpu: 300m, memory: 64Mi}}", StringComparison.Ordinal));
        await k.ReadyAsync("bound");
        foreach (var (cpu, memory) in new[] { ("200m", "48Mi"), ("400m", "32Mi"), ("100m", "24Mi") })
        {
            var both = $"{{\"cpu\":\"{cpu}\",\"memory\":\"{memory}\"}}";
            await k.OkAsync("patch pod bound --subresource resize -p", $"{{\"spec\":{{\"containers\":[{{\"name\":\"main\",\"resources\":{{\"limits\":{both},\"requests\":{both}}}}}]}}}}");
            await k.WaitAsync("bound", ".status.containerStatuses[0].resources.limits.memory", memory);
            await k.WaitAsync("bound", ".status.containerStatuses[0].resources.limits.cpu", cpu);
        }

        Assert.Equal("0", await k.FieldAsync("bound", ".status.containerStatuses[0].restartCount"));
        Assert.DoesNotContain("Warning", await k.OkAsync("get events --field-selector=involvedObject.name=bound -o", "jsonpath={.items[*].type}"));
        await k.OkAsync("delete pod bound --timeout=30s");
    }

    private static Task<string> ResizeAsync(Kubectl k, string cpu) => k.OkAsync("patch pod grows --subresource resize -p", Patch(cpu));

    private static string Patch(string cpu) => "{\"spec\":{\"containers\":[{\"name\":\"main\",\"resources\":{\"requests\":{\"cpu\":\"" + cpu + "\"}}}]}}";

    private static Task<string> ContainerAsync(Kubectl k) =>
        k.FieldAsync("grows", ".status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount");

    private static string Shares(string containerId) =>
        Directory.GetDirectories("/sys/fs/cgroup", containerId[(containerId.LastIndexOf('/') + 1)..], new EnumerationOptions { RecurseSubdirectories = true })
            .SelectMany(d => (string[])[Path.Combine(d, "cpu.shares"), Path.Combine(d, "cpu.weight")])
            .Where(File.Exists).Select(f => File.ReadAllText(f).Trim()).First();

    private static string Pod(string name) => $$"""
        apiVersion: v1
        kind: Pod
        metadata: {name: {{name}}}
        spec:
          terminationGracePeriodSeconds: 1
          containers:
          - {name: main, image: "busybox:stable", command: [sleep, "1000"], resources: {requests: {cpu: 100m} } }
        """;
}
