using System.Text.RegularExpressions;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Promises;

/// <summary>
/// A node that runs short: of memory, where all pods together may use little and one uses most of it; of disk, where more is to be kept free
/// than the disk has.
/// </summary>
public sealed partial class PressureTests(ClusterFixture cluster) : IDisposable
{
    private const int PodsMi = 256;
    private readonly string config = Path.GetTempFileName();

    public void Dispose() => File.Delete(config);

    [Fact]
    public async Task A_node_short_of_memory_evicts_who_uses_most_beyond_its_request_and_one_short_of_disk_all_but_critical_pods()
    {
        Assert.SkipWhen(cluster.CannotRun is not null, cluster.CannotRun ?? "");
        await ConfigureAsync($"kubeReserved: {{memory: {MemoryTotalKi() - (PodsMi * 1024)}Ki}}", "evictionHard: {memory.available: 100Mi}", "maxPods: 2");
        await using var instance = await Instance.StartAsync("--config", config, "--service-proxy", "false");
        await ClusterFixture.LoadImagesAsync(instance);
        var k = instance.Kubectl;
        await k.ApplyAsync(Pod("steady", "sleep 1000", "resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {cpu: 100m, memory: 16Mi}}"));
        await k.ReadyAsync("steady");
        await k.ApplyAsync(Pod("hog", "head -c 180000000 /dev/zero > /dev/shm/x; sleep 1000", ""));
        await k.WaitAsync("hog", ".status.reason", "Evicted", 90);

        await EvictedForMemoryAsync(instance);
        await k.EventAsync(instance.Node, "EvictionThresholdMet");
        await k.EventAsync(instance.Node, "NodeHasInsufficientMemory");
        Assert.Equal("Running 0", await k.FieldAsync("steady", ".status.phase} {.status.containerStatuses[0].restartCount"));

        await TakesNoMoreThanItsPodsAsync(instance);

        await ConfigureAsync("evictionHard: {nodefs.available: 100Ti}");
        await instance.TerminateAsync();
        await File.WriteAllTextAsync(Path.Combine(instance.StaticPods, "fixed.yaml"), Pod("fixed", "sleep 1000", ""));
        await instance.UpAsync();
        await EvictedForMemoryAsync(instance); // as it was before the restart
        await k.WaitAsync("steady", ".status.reason", "Evicted", 90);
        Assert.Matches(DiskMessage(), await k.FieldAsync("steady", ".status.message"));
        await k.ReadyAsync($"fixed-{instance.Node}");
        await TakesNoPodsAsync(instance);
    }

    /// <summary>Status, condition and event of the pod that used the memory.</summary>
    private static async Task EvictedForMemoryAsync(Instance instance)
    {
        var status = (await instance.Kubectl.JsonAsync("get pod hog"))["status"]!;
        Assert.Equal("Failed", (string?)status["phase"]);
        Assert.Matches(MemoryMessage(), (string)status["message"]!);
        var disruption = status["conditions"]!.AsArray().Single(c => (string?)c!["type"] == "DisruptionTarget")!;
        Assert.Equal(("True", "TerminationByKubelet", (string?)status["message"]), ((string?)disruption["status"], (string?)disruption["reason"], (string?)disruption["message"]));
        var events = (await instance.Kubectl.JsonAsync("get events --field-selector=involvedObject.name=hog,reason=Evicted"))["items"]!.AsArray();
        var annotations = Assert.Single(events)!["metadata"]!["annotations"]!;
        Assert.Equal(("main", "memory"), ((string?)annotations["offending_containers"], (string?)annotations["starved_resource"]));
    }

    /// <summary>The place of an evicted pod is free, and beyond maxPods there is none.</summary>
    private static async Task TakesNoMoreThanItsPodsAsync(Instance instance)
    {
        var k = instance.Kubectl;
        const string Small = "resources: {requests: {memory: 1Mi}}"; // without a request, short of memory means no
        await k.ApplyAsync(Pod("second", "sleep 1000", Small, $"nodeName: {instance.Node}"));
        await k.ReadyAsync("second");
        await k.ApplyAsync(Pod("third", "sleep 1000", Small, $"nodeName: {instance.Node}"));
        await k.WaitAsync("third", ".status.reason", "OutOfpods");
        Assert.Equal(
            "Failed Pod was rejected: Node didn't have enough resource: pods, requested: 1, used: 2, capacity: 2", await k.FieldAsync("third", ".status.phase} {.status.message"));
        await k.OkAsync("delete pod second third --grace-period=0 --force");
    }

    private static async Task TakesNoPodsAsync(Instance instance)
    {
        var k = instance.Kubectl;
        await k.OkAsync($"wait node/{instance.Node} --for=condition=DiskPressure --timeout=40s");
        Assert.Equal("KubeletHasDiskPressure kubelet has disk pressure", await k.OkAsync(
            $"get node {instance.Node} -o", "jsonpath={range .status.conditions[?(@.type==\"DiskPressure\")]}{.reason} {.message}{end}"));
        await k.OkAsync($"wait node/{instance.Node} --timeout=40s", "--for=jsonpath={.spec.taints[?(@.key==\"node.kubernetes.io/disk-pressure\")].effect}=NoSchedule");
        await k.ApplyAsync(Pod("bound", "sleep 1000", "", $"nodeName: {instance.Node}"));
        await k.WaitAsync("bound", ".status.reason", "Evicted");
        Assert.Equal("Failed Pod was rejected: The node had condition: [DiskPressure]. ", await k.FieldAsync("bound", ".status.phase} {.status.message"));
    }

    private async Task ConfigureAsync(params string[] lines) => await File.WriteAllTextAsync(
        config, $"apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nevictionPressureTransitionPeriod: 1s\n{string.Join('\n', lines)}\n");

    private static long MemoryTotalKi() => long.Parse(
        File.ReadLines("/proc/meminfo").First(l => l.StartsWith("MemTotal:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        System.Globalization.CultureInfo.InvariantCulture);

    private static string Pod(string name, string script, string more, string podMore = "") => $$"""
        apiVersion: v1
        kind: Pod
        metadata: {name: {{name}}}
        spec:
          terminationGracePeriodSeconds: 1
          {{podMore}}
          volumes: [{name: shm, emptyDir: {medium: Memory} }]
          containers:
          - name: main
            image: busybox:stable
            command: [sh, -c, "{{script}}"]
            volumeMounts: [{name: shm, mountPath: /dev/shm}]
            {{more}}
        """;

    [GeneratedRegex(@"^The node was low on resource: memory\. Threshold quantity: 100Mi, available: [0-9]+(Ki|Mi)?\. Container main was using [0-9]+(Ki|Mi), request is 0, has larger consumption of memory\. $")]
    private static partial Regex MemoryMessage();

    [GeneratedRegex(@"^The node was low on resource: ephemeral-storage\. Threshold quantity: 100Ti, available: [0-9]+(Ki|Mi|Gi)\. Container main was using [0-9]+(Ki|Mi)?, request is 0, has larger consumption of ephemeral-storage\. $")]
    private static partial Regex DiskMessage();
}
