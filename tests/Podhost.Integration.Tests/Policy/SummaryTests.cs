using System.Text.Json.Nodes;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Policy;

/// <summary>/stats/summary of the node: the fields and bounds that upstream's node conformance suite expects of a pod that writes a little everywhere.</summary>
public sealed class SummaryTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    private const long Kilo = 1000;
    private const long Mega = 1_000_000;
    private const long Tera = 10_000_000_000_000;

    [Fact]
    public async Task A_summary_tells_what_node_system_pod_and_container_use()
    {
        await K.ApplyAsync(ShellPod(
            "told", "echo some bytes > /outside; echo hello > /v/file; ping -c 1 $(hostname -i); while true; do sleep 0.2; done",
            "resources: {limits: {memory: 80M}}\n    volumeMounts: [{name: data, mountPath: /v}]\n  automountServiceAccountToken: false\n  volumes: [{name: data, emptyDir: {}}]"));
        await K.ReadyAsync("told");
        var summary = JsonNode.Parse(await K.OkAsync("get --raw", $"/api/v1/nodes/{Cluster.Node}/proxy/stats/summary"))!;
        var pod = summary["pods"]!.AsArray().Single(p => (string?)p!["podRef"]!["namespace"] == K.Namespace)!;
        var container = Assert.Single(pod["containers"]!.AsArray())!;

        Assert.Equal("main", (string?)container["name"]);
        foreach (var each in new[] { pod, container })
        {
            Bounded(each["cpu"]!, ("usageNanoCores", 10_000, 2_000_000_000), ("usageCoreNanoSeconds", 100_000, 100_000_000_000));
            Bounded(
                each["memory"]!, ("availableBytes", Kilo, 80 * Mega), ("usageBytes", 10 * Kilo, 80 * Mega), ("workingSetBytes", 10 * Kilo, 80 * Mega), ("rssBytes", Kilo, 80 * Mega),
                ("pageFaults", 100, 1_000_000_000), ("majorPageFaults", 0, 1_000_000_000));
            Assert.NotNull(each["startTime"]);
        }

        IsDisk(container["rootfs"]!, 10 * Mega);
        IsDisk(container["logs"]!, 10 * Mega);
        IsDisk(pod["ephemeral-storage"]!, 21 * Mega);
        var volume = Assert.Single(pod["volume"]!.AsArray())!;
        Assert.Equal("data", (string?)volume["name"]);
        IsDisk(volume, Mega);
        Assert.Equal("eth0", (string?)pod["network"]!["name"]);
        Bounded(pod["network"]!, ("rxBytes", 10, 10 * Mega), ("txBytes", 10, 10 * Mega), ("rxErrors", 0, 1000), ("txErrors", 0, 1000));
        Assert.NotEmpty(pod["network"]!["interfaces"]!.AsArray());
        Bounded(pod["process_stats"]!, ("process_count", 1, 1000));
        IsNode(summary["node"]!);
        await K.OkAsync("delete pod told --grace-period=0 --force");
    }

    private static void IsNode(JsonNode node)
    {
        Bounded(node["cpu"]!, ("usageNanoCores", 100_000, 1_000_000_000_000), ("usageCoreNanoSeconds", 1_000_000_000, long.MaxValue));
        Bounded(
            node["memory"]!, ("availableBytes", 100 * Mega, long.MaxValue), ("usageBytes", 10 * Mega, long.MaxValue), ("workingSetBytes", 10 * Mega, long.MaxValue),
            ("rssBytes", Kilo, long.MaxValue), ("pageFaults", 1000, long.MaxValue), ("majorPageFaults", 0, long.MaxValue));
        Assert.NotNull(node["network"]!["interfaces"]);
        IsDisk(node["fs"]!, Tera);
        IsDisk(node["runtime"]!["imageFs"]!, Tera);
        IsDisk(node["runtime"]!["containerFs"]!, Tera);
        Bounded(node["rlimit"]!, ("maxpid", 1, 100_000_000), ("curproc", 1, 100_000_000));
        var system = node["systemContainers"]!.AsArray().ToDictionary(c => (string)c!["name"]!, c => c!);
        var embedded = Environment.GetEnvironmentVariable("PODHOST_TEST_RUNTIME") is null;
        Assert.Equal(embedded ? ["kubelet", "pods", "runtime"] : ["kubelet", "pods"], system.Keys.Order());
        Bounded(system["pods"]["memory"]!, ("availableBytes", Kilo, long.MaxValue), ("rssBytes", Kilo, long.MaxValue));
        Assert.Null(system["kubelet"]["memory"]!["availableBytes"]);
        Bounded(system["kubelet"]["memory"]!, ("usageBytes", Mega, long.MaxValue), ("workingSetBytes", Mega, long.MaxValue), ("rssBytes", Mega, long.MaxValue), ("pageFaults", 1000, long.MaxValue));
        Bounded(system["kubelet"]["cpu"]!, ("usageCoreNanoSeconds", 10_000_000, long.MaxValue));
    }

    private static void IsDisk(JsonNode disk, long most) => Bounded(
        disk, ("availableBytes", 100 * Mega, Tera), ("capacityBytes", 100 * Mega, Tera), ("usedBytes", Kilo, most), ("inodesFree", 10_000, long.MaxValue),
        ("inodes", 10_000, long.MaxValue), ("inodesUsed", 0, long.MaxValue));

    private static void Bounded(JsonNode part, params (string Field, long Least, long Most)[] bounds)
    {
        foreach (var (field, least, most) in bounds)
        {
            Assert.True(part[field] is { } value && (decimal)value >= least && (decimal)value <= most, $"{field} of {part.ToJsonString()}");
        }
    }
}
