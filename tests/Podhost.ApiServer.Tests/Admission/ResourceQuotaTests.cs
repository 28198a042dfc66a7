using Podhost.ApiServer.Admission.Quota;
using Podhost.ApiServer.Tests.Support;

namespace Podhost.ApiServer.Tests.Admission;

/// <summary>Quotas: what is counted, whom they are about, and that parallel creates do not exceed them.</summary>
public class ResourceQuotaTests
{
    private const string Namespace = "/api/v1/namespaces/default";
    private const string Pods = Namespace + "/pods";

    [Fact]
    public async Task Parallel_creates_take_exactly_what_is_there()
    {
        await using var cluster = await StartAsync("""{"hard":{"pods":"7","count/configmaps":"5"}}""");
        var pods = Enumerable.Range(0, 40).Select(i => cluster.PostAsync(Pods, Cluster.Pod($"p{i}")));
        var maps = Enumerable.Range(0, 40).Select(i => cluster.PostAsync(Namespace + "/configmaps", Cluster.ConfigMap($"m{i}")));
        var codes = (await Task.WhenAll(pods)).Select(a => a.Code).Order().ToList();
        Assert.Equal((7, 33), (codes.Count(c => c == 201), codes.Count(c => c == 403)));
        Assert.Equal(5, (await Task.WhenAll(maps)).Count(a => a.Code == 201));
    }

    [Fact]
    public async Task Room_comes_back_when_a_pod_goes_or_ends_and_at_once_after_a_failed_create()
    {
        await using var cluster = await StartAsync("""{"hard":{"pods":"2"}}""");
        await cluster.CreateAsync(Pods, Cluster.Pod("a"));
        Assert.Equal(409, (await cluster.PostAsync(Pods, Cluster.Pod("a"))).Code);
        Assert.Equal(201, (await cluster.PostAsync(Pods + "?dryRun=All", Cluster.Pod("dry"))).Code);
        await cluster.CreateAsync(Pods, Cluster.Pod("b"));
        Assert.Equal("pods \"c\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2", (await cluster.PostAsync(Pods, Cluster.Pod("c"))).Message);
        Assert.Equal(200, (await cluster.DeleteAsync(Pods + "/a")).Code);
        await cluster.CreateAsync(Pods, Cluster.Pod("c"));
        Assert.Equal(403, (await cluster.PostAsync(Pods, Cluster.Pod("d"))).Code);
        Assert.Equal(200, (await cluster.MergeAsync(Pods + "/b/status", """{"status":{"phase":"Succeeded"}}""")).Code);
        await cluster.CreateAsync(Pods, Cluster.Pod("d"));
    }

    [Fact]
    public async Task A_quota_may_be_about_the_claims_of_a_volume_attributes_class()
    {
        await using var cluster = await StartAsync(
            """{"hard":{"persistentvolumeclaims":"1"},"scopeSelector":{"matchExpressions":[{"scopeName":"VolumeAttributesClass","operator":"In","values":["gold"]}]}}""");
        static string Claim(string name, string of) =>
            "{\"metadata\":{\"name\":\"" + name + "\"},\"spec\":{\"accessModes\":[\"ReadWriteOnce\"],\"resources\":{\"requests\":{\"storage\":\"1Gi\"}}" + of + "}}";
        const string Claims = Namespace + "/persistentvolumeclaims";
        await cluster.CreateAsync(Claims, Claim("a", ",\"volumeAttributesClassName\":\"gold\""));
        await cluster.CreateAsync(Claims, Claim("b", ""));
        await cluster.CreateAsync(Claims, Claim("c", ",\"volumeAttributesClassName\":\"silver\""));
        Assert.Equal(
            "persistentvolumeclaims \"d\" is forbidden: exceeded quota: q, requested: persistentvolumeclaims=1, used: persistentvolumeclaims=1, limited: persistentvolumeclaims=1",
            (await cluster.PostAsync(Claims, Claim("d", ",\"volumeAttributesClassName\":\"gold\""))).Message);
        await cluster.CreateAsync(Pods, Cluster.Pod("p"));
    }

    [Theory]
    [InlineData("""{"hard":{"requests.cpu":"1","limits.memory":"1Gi"}}""", """{"requests":{"cpu":"100m"}}""", "failed quota: q: must specify limits.memory for: c")]
    [InlineData("""{"hard":{"cpu":"1","limits.memory":"1Gi"}}""", "{}", "failed quota: q: must specify cpu for: c; limits.memory for: c")]
    [InlineData("""{"hard":{"requests.cpu":"1","limits.memory":"1Gi"}}""", """{"requests":{"cpu":"1500m"},"limits":{"memory":"2Gi"}}""",
        "exceeded quota: q, requested: limits.memory=2Gi,requests.cpu=1500m, used: limits.memory=0,requests.cpu=0, limited: limits.memory=1Gi,requests.cpu=1")]
    [InlineData("""{"hard":{"pods":"0"},"scopes":["BestEffort"]}""", "{}", "exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0")]
    [InlineData("""{"hard":{"pods":"0"},"scopes":["NotBestEffort"]}""", "{}", null)]
    [InlineData("""{"hard":{"pods":"0"},"scopes":["Terminating"]}""", "{}", null)]
    [InlineData("""{"hard":{"pods":"0"},"scopes":["NotTerminating"]}""", "{}", "exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0")]
    [InlineData("""{"hard":{"pods":"0"},"scopeSelector":{"matchExpressions":[{"scopeName":"PriorityClass","operator":"In","values":["high"]}]}}""", "{}", null)]
    [InlineData("""{"hard":{"pods":"0"},"scopeSelector":{"matchExpressions":[{"scopeName":"PriorityClass","operator":"DoesNotExist"}]}}""", "{}",
        "exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0")]
    [InlineData("""{"hard":{"requests.nvidia.com/gpu":"1"}}""", """{"limits":{"nvidia.com/gpu":"2"},"requests":{"nvidia.com/gpu":"2"}}""",
        "exceeded quota: q, requested: requests.nvidia.com/gpu=2, used: requests.nvidia.com/gpu=0, limited: requests.nvidia.com/gpu=1")]
    public async Task A_pod_is_refused_where_the_quota_says_so(string spec, string resources, string? why)
    {
        await using var cluster = await StartAsync(spec);
        var answer = await cluster.PostAsync(Pods, $$$"""{"metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i","resources":{{{resources}}}}]}}""");
        Assert.Equal(why is null ? "" : $"pods \"p\" is forbidden: {why}", answer.Message);
    }

    [Theory]
    [InlineData("services", "services", """{"metadata":{"name":"s"},"spec":{"type":"NodePort","ports":[{"name":"a","port":1},{"name":"b","port":2}],"clusterIP":"10.0.0.1"}}""", "services.nodeports", "1", "2")]
    [InlineData("persistentvolumeclaims", "persistentvolumeclaims",
        """{"metadata":{"name":"s"},"spec":{"storageClassName":"fast","accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"3Gi"}}}}""",
        "fast.storageclass.storage.k8s.io/requests.storage", "2Gi", "3Gi")]
    [InlineData("secrets", "secrets", """{"metadata":{"name":"s"}}""", "secrets", "0", "1")]
    [InlineData("leases", "/apis/coordination.k8s.io/v1/namespaces/default/leases", """{"metadata":{"name":"s"},"spec":{}}""", "count/leases.coordination.k8s.io", "0", "1")]
    public async Task Other_kinds_are_counted_by_their_names(string kind, string path, string body, string name, string hard, string requested)
    {
        await using var cluster = await StartAsync($$$"""{"hard":{"{{{name}}}":"{{{hard}}}"}}""");
        var answer = await cluster.PostAsync(path[0] == '/' ? path : $"{Namespace}/{path}", body);
        var qualified = kind == "leases" ? "leases.coordination.k8s.io" : kind;
        Assert.Equal($"{qualified} \"s\" is forbidden: exceeded quota: q, requested: {name}={requested}, used: {name}=0, limited: {name}={hard}", answer.Message);
    }

    private static async Task<Cluster> StartAsync(string spec)
    {
        var cluster = await Cluster.StartAsync(dependencies: d => d with { AdmissionPlugins = _ => [new ResourceQuotaPlugin(TimeProvider.System)] });
        await cluster.CreateAsync(Namespace + "/resourcequotas", "{\"metadata\":{\"name\":\"q\"},\"spec\":" + spec + "}");
        return cluster;
    }
}
