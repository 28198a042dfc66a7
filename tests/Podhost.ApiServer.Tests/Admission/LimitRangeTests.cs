using System.Text.Json.Nodes;
using Podhost.ApiServer.Admission.Limits;
using Podhost.ApiServer.Tests.Support;

namespace Podhost.ApiServer.Tests.Admission;

/// <summary>LimitRanges: defaults, minimum, maximum, ratio.</summary>
public class LimitRangeTests
{
    private const string Pods = "/api/v1/namespaces/default/pods";

    [Fact]
    public async Task Containers_get_the_defaults_of_the_range_and_an_annotation_says_so()
    {
        await using var cluster = await StartAsync("""{"type":"Container","default":{"cpu":"500m","memory":"256Mi"},"defaultRequest":{"cpu":"100m"},"min":{"memory":"8Mi"}}""");
        var pod = await cluster.CreateAsync(Pods, Pod("""{"name":"c","image":"i"},{"name":"d","image":"i","resources":{"limits":{"cpu":"1"}}}"""));
        var containers = pod["spec"]!["containers"]!.AsArray();
        Assert.Equal("""{"limits":{"cpu":"500m","memory":"256Mi"},"requests":{"cpu":"100m","memory":"256Mi"}}""", containers[0]!["resources"]!.ToJsonString());
        Assert.Equal("""{"limits":{"cpu":"1","memory":"256Mi"},"requests":{"cpu":"1","memory":"256Mi"}}""", containers[1]!["resources"]!.ToJsonString());
        Assert.Equal(
            "LimitRanger plugin set: cpu, memory request for container c; cpu, memory limit for container c; memory request for container d; memory limit for container d",
            pod["metadata"]!["annotations"]!["kubernetes.io/limit-ranger"]!.GetValue<string>());
        Assert.Equal("Burstable", pod["status"]!["qosClass"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("""{"type":"Container","max":{"cpu":"1"}}""", """{"limits":{"cpu":"2"}}""", "maximum cpu usage per Container is 1, but limit is 2")]
    [InlineData("""{"type":"Container","min":{"memory":"64Mi"}}""", """{"requests":{"memory":"32Mi"}}""", "minimum memory usage per Container is 64Mi, but request is 32Mi")]
    [InlineData("""{"type":"Container","maxLimitRequestRatio":{"cpu":"2"}}""", """{"requests":{"cpu":"100m"},"limits":{"cpu":"500m"}}""",
        "cpu max limit to request ratio per Container is 2, but provided ratio is 5.000000")]
    [InlineData("""{"type":"Container","maxLimitRequestRatio":{"cpu":"2"}}""", "{}", "cpu max limit to request ratio per Container is 2, but no request is specified or request is 0")]
    [InlineData("""{"type":"Pod","max":{"cpu":"1"}}""", "{}", "maximum cpu usage per Pod is 1.  No limit is specified")]
    [InlineData("""{"type":"Pod","min":{"memory":"1Gi"}}""", "{}", "minimum memory usage per Pod is 1Gi.  No request is specified")]
    [InlineData("""{"type":"Container","max":{"cpu":"1","memory":"1Gi"}}""", """{"limits":{"cpu":"2","memory":"2Gi"}}""",
        "[maximum cpu usage per Container is 1, but limit is 2, maximum memory usage per Container is 1Gi, but limit is 2Gi]")]
    public async Task A_pod_outside_the_range_is_refused(string item, string resources, string why)
    {
        await using var cluster = await StartAsync(item);
        var answer = await cluster.PostAsync(Pods, Pod("{\"name\":\"c\",\"image\":\"i\",\"resources\":" + resources + "}"));
        Assert.Equal(403, answer.Code);
        Assert.Equal($"pods \"p\" is forbidden: {why}", answer.Message);
    }

    [Theory]
    [InlineData("1Gi", null)]
    [InlineData("3Gi", "maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi")]
    [InlineData("1Mi", "minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi")]
    public async Task A_claim_is_held_to_the_range(string size, string? why)
    {
        await using var cluster = await StartAsync("""{"type":"PersistentVolumeClaim","min":{"storage":"1Gi"},"max":{"storage":"2Gi"}}""");
        var answer = await cluster.PostAsync(
            "/api/v1/namespaces/default/persistentvolumeclaims",
            $$$$$$"""{"metadata":{"name":"c"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"{{{{{{size}}}}}}"}}}}""");
        Assert.Equal(why is null ? 201 : 403, answer.Code);
        Assert.Equal(why is null ? "" : $"persistentvolumeclaims \"c\" is forbidden: {why}", answer.Message);
    }

    private static string Pod(string containers) => $$$"""{"metadata":{"name":"p"},"spec":{"containers":[{{{containers}}}]}}""";

    private static async Task<Cluster> StartAsync(string item)
    {
        var cluster = await Cluster.StartAsync(dependencies: d => d with { AdmissionPlugins = _ => [new LimitRangerPlugin()] });
        await cluster.CreateAsync("/api/v1/namespaces/default/limitranges", $$$"""{"metadata":{"name":"r"},"spec":{"limits":[{{{item}}}]}}""");
        return cluster;
    }
}
