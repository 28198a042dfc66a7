using System.Net;
using System.Text.Json.Nodes;
using Podhost.ApiServer.Admission.Plugins;
using Podhost.ApiServer.Tests.Support;

namespace Podhost.ApiServer.Tests;

/// <summary>A Service's type changes alone: what came with the former type goes, what the new one needs comes.</summary>
public class ServiceTypeTests
{
    private const string Path = "/api/v1/namespaces/default/services";

    [Theory]
    [InlineData("NodePort")]
    [InlineData("LoadBalancer")]
    public async Task The_type_may_change_alone_and_back(string type)
    {
        var addresses = new ServiceAddressesPlugin(IPNetwork.Parse("10.96.0.0/16"));
        await using var cluster = await Cluster.StartAsync(dependencies: d => d with { AdmissionPlugins = _ => [addresses] });
        await cluster.CreateAsync(Path, $$$"""{"metadata":{"name":"s"},"spec":{"type":"{{{type}}}","selector":{"a":"b"},"ports":[{"port":80}]}}""");

        var plain = await PatchAsync(cluster, """{"spec":{"type":"ClusterIP"}}""");
        Assert.Null(plain["ports"]![0]!["nodePort"]);
        Assert.Null(plain["externalTrafficPolicy"]);
        Assert.Null(plain["allocateLoadBalancerNodePorts"]);
        Assert.NotNull(plain["clusterIP"]);

        var open = await PatchAsync(cluster, $$$"""{"spec":{"type":"{{{type}}}"}}""");
        Assert.InRange(open["ports"]![0]!["nodePort"]!.GetValue<int>(), 30000, 32767);
        Assert.Equal("Cluster", open["externalTrafficPolicy"]!.GetValue<string>());

        var alias = await PatchAsync(cluster, """{"spec":{"type":"ExternalName","externalName":"a.example"}}""");
        Assert.Null(alias["clusterIP"]);
        Assert.Null(alias["ipFamilies"]);
        Assert.Null(alias["ports"]![0]!["nodePort"]);
        Assert.Null(alias["externalTrafficPolicy"]);

        var again = await PatchAsync(cluster, """{"spec":{"type":"ClusterIP","externalName":null}}""");
        Assert.True(IPNetwork.Parse("10.96.0.0/16").Contains(IPAddress.Parse(again["clusterIP"]!.GetValue<string>())));
        Assert.Equal("IPv4", again["ipFamilies"]![0]!.GetValue<string>());
    }

    private static async Task<JsonNode> PatchAsync(Cluster cluster, string patch)
    {
        var answer = await cluster.MergeAsync(Path + "/s", patch);
        Assert.True(answer.Code == 200, answer.Text);
        return JsonNode.Parse(answer.Text)!["spec"]!;
    }
}
