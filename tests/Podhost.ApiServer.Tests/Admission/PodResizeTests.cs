using System.Text.Json.Nodes;
using Podhost.ApiServer.Admission.Plugins;
using Podhost.ApiServer.Tests.Support;

namespace Podhost.ApiServer.Tests.Admission;

/// <summary>The resize subresource: what a node can never give is refused, and what is not a resize.</summary>
public class PodResizeTests
{
    private const string Resize = "/api/v1/namespaces/default/pods/p/resize";

    [Theory]
    [InlineData("500m", "1Gi", null)]
    [InlineData("3", "1Gi", "cpu, requested: 3000, allocatable: 2000")]
    [InlineData("3", "5Gi", "cpu, requested: 3000, allocatable: 2000; memory, requested: 5368709120, allocatable: 4294967296")]
    public async Task What_the_node_can_never_give_is_refused(string cpu, string memory, string? why)
    {
        await using var cluster = await StartAsync("linux");
        var answer = await ResizeAsync(cluster, Containers(cpu, memory));
        Assert.Equal(why is null ? 200 : 403, answer.Code);
        if (why is not null)
        {
            Assert.Equal("pods \"p\" is forbidden: node didn't have enough allocatable resources: " + why, answer.Message);
            Assert.Equal("NodeCapacity", JsonNode.Parse(answer.Text)!["details"]!["causes"]![0]!["reason"]!.GetValue<string>());
        }
    }

    [Fact]
    public async Task A_node_of_another_system_cannot_resize()
    {
        await using var cluster = await StartAsync("windows");
        var answer = await ResizeAsync(cluster, Containers("2", "1Gi"));
        Assert.Equal("pods \"p\" is forbidden: pod resize is only supported on linux nodes, node \"n\" is \"windows\"", answer.Message);
        Assert.Equal(200, (await ResizeAsync(cluster, Containers("1", "1Gi"))).Code);
    }

    [Fact]
    public async Task Containers_keep_their_names_order_and_number_and_nothing_else_is_changed()
    {
        await using var cluster = await StartAsync("linux");
        const string Renamed = "containers may not be renamed or reordered on resize";
        Assert.Equal(
            $"Pod \"p\" is invalid: [spec.containers[0].name: Forbidden: {Renamed}, spec.containers[1].name: Forbidden: {Renamed}]",
            (await ResizeAsync(cluster, """{"name":"d"},{"name":"c"}""", order: """["d","c"]""")).Message);
        Assert.Contains("containers may not be added or removed on resize", (await ResizeAsync(cluster, """{"name":"e","image":"i"}""")).Message, StringComparison.Ordinal);

        // Other changes are left out, as upstream does.
        var answer = await ResizeAsync(cluster, """{"name":"c","image":"other","resources":{"requests":{"cpu":"2"}}}""");
        var container = JsonNode.Parse(answer.Text)!["spec"]!["containers"]![0]!;
        Assert.Equal("i 2", $"{container["image"]} {container["resources"]!["requests"]!["cpu"]}");
        Assert.Equal(container.ToJsonString(), JsonNode.Parse((await cluster.GetAsync(Resize)).Text)!["spec"]!["containers"]![0]!.ToJsonString());
    }

    private static string Containers(string cpu, string memory) =>
        "{\"name\":\"c\",\"resources\":{\"requests\":{\"cpu\":\"" + cpu + "\",\"memory\":\"" + memory + "\"}}}";

    private static Task<Answer> ResizeAsync(Cluster cluster, string containers, string? order = null) => cluster.SendAsync(
        HttpMethod.Patch, Resize,
        "{\"spec\":{" + (order is null ? "" : $"\"$setElementOrder/containers\":[{string.Join(',', JsonNode.Parse(order)!.AsArray().Select(n => $"{{\"name\":{n!.ToJsonString()}}}"))}],")
            + $"\"containers\":[{containers}]}}}}",
        "application/strategic-merge-patch+json");

    private static async Task<Cluster> StartAsync(string system)
    {
        var cluster = await Cluster.StartAsync(dependencies: d => d with { AdmissionPlugins = _ => [new PodResizePlugin()] });
        await cluster.CreateAsync(
            "/api/v1/nodes",
            "{\"metadata\":{\"name\":\"n\",\"labels\":{\"kubernetes.io/os\":\"" + system + "\"}},\"status\":{\"allocatable\":{\"cpu\":\"2\",\"memory\":\"4Gi\"}}}");
        await cluster.CreateAsync(
            "/api/v1/namespaces/default/pods",
            """{"metadata":{"name":"p"},"spec":{"nodeName":"n","containers":[{"name":"c","image":"i","resources":{"requests":{"cpu":"1","memory":"1Gi"}}},{"name":"d","image":"i"}]}}""");
        return cluster;
    }
}
