using System.Net;
using System.Text.Json.Nodes;
using Podhost.ApiServer.Admission.Plugins;
using Podhost.ApiServer.Tests.Support;

namespace Podhost.ApiServer.Tests;

/// <summary>Addresses and families of Services, as upstream's service storage gives and defends them.</summary>
public class ServiceFamilyTests
{
    private const string Path = "/api/v1/namespaces/default/services";
    private static readonly IPNetwork Four = IPNetwork.Parse("10.96.0.0/16");
    private static readonly IPNetwork Six = IPNetwork.Parse("fd00:96::/108");

    // policy given, families given, the cluster's → policy, families
    [Theory]
    [InlineData("", "", "4,6", "SingleStack", "IPv4")]
    [InlineData("", "", "6,4", "SingleStack", "IPv6")]
    [InlineData("", "", "6", "SingleStack", "IPv6")]
    [InlineData("", "IPv6", "4,6", "SingleStack", "IPv6")]
    [InlineData("PreferDualStack", "", "4,6", "PreferDualStack", "IPv4,IPv6")]
    [InlineData("PreferDualStack", "", "4", "PreferDualStack", "IPv4")]
    [InlineData("PreferDualStack", "IPv6", "4,6", "PreferDualStack", "IPv6,IPv4")]
    [InlineData("RequireDualStack", "", "6,4", "RequireDualStack", "IPv6,IPv4")]
    [InlineData("RequireDualStack", "IPv6,IPv4", "4,6", "RequireDualStack", "IPv6,IPv4")]
    public async Task A_service_has_an_address_of_each_of_its_families(string policy, string families, string ranges, string wantedPolicy, string wanted)
    {
        await using var cluster = await StartAsync(ranges);
        var spec = (await cluster.CreateAsync(Path, Service("s", Fields(policy, families))))["spec"]!;
        Assert.Equal(wantedPolicy, spec["ipFamilyPolicy"]!.GetValue<string>());
        Assert.Equal(wanted, Joined(spec["ipFamilies"]));
        var addresses = Texts(spec["clusterIPs"]);
        Assert.Equal(spec["clusterIP"]!.GetValue<string>(), addresses[0]);
        Assert.Equal(wanted.Split(','), addresses.Select(a => (Four.Contains(IPAddress.Parse(a)) ? "IPv4" : Six.Contains(IPAddress.Parse(a)) ? "IPv6" : a)));
    }

    [Theory]
    [InlineData("4", "\"ipFamilyPolicy\":\"RequireDualStack\"", "spec.ipFamilyPolicy: Invalid value: \"RequireDualStack\": this cluster is not configured for dual-stack services")]
    [InlineData("4", "\"ipFamilies\":[\"IPv6\"]", "spec.ipFamilies[0]: Invalid value: \"IPv6\": not configured on this cluster")]
    [InlineData("4", "\"clusterIP\":\"fd00:96::99\"", "spec.clusterIPs[0]: Invalid value: [\"fd00:96::99\"]: IPv6 is not configured on this cluster")]
    [InlineData("4,6", "\"ipFamilies\":[\"IPv4\",\"IPv6\"]", "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified")]
    [InlineData("4,6", "\"ipFamilies\":[\"IPv4\",\"IPv4\"]", "spec.ipFamilies[1]: Duplicate value: \"IPv4\"")]
    [InlineData("4,6", "\"ipFamilies\":[\"IPv5\"]", "spec.ipFamilies[0]: Unsupported value: \"IPv5\"")]
    [InlineData("4,6", "\"ipFamilies\":[\"IPv6\"],\"clusterIP\":\"10.96.0.99\"", "spec.clusterIPs[0]: Invalid value: \"10.96.0.99\": expected an IPv6 value as indicated by `ipFamilies[0]`")]
    [InlineData("4,6", "\"clusterIP\":\"fd00:97::99\"", "spec.clusterIPs: Invalid value: [\"fd00:97::99\"]: failed to allocate IP fd00:97::99: the provided IP is not in the valid range")]
    [InlineData("4,6", "\"clusterIP\":\"10.96.0.9\",\"clusterIPs\":[\"10.96.0.9\",\"10.96.0.8\"],\"ipFamilyPolicy\":\"RequireDualStack\"", "may specify no more than one IP for each IP family")]
    public async Task What_the_cluster_cannot_give_is_refused(string ranges, string fields, string message)
    {
        await using var cluster = await StartAsync(ranges);
        var answer = await cluster.PostAsync(Path, Service("s", fields));
        Assert.Equal(422, answer.Code);
        Assert.Contains(message, JsonNode.Parse(answer.Text)!["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Addresses_that_are_asked_for_are_given_once_and_their_families_follow()
    {
        await using var cluster = await StartAsync("4,6");
        const string Asked = "\"ipFamilyPolicy\":\"RequireDualStack\",\"clusterIP\":\"fd00:96::99\",\"clusterIPs\":[\"fd00:96::99\",\"10.96.0.99\"]";
        var spec = (await cluster.CreateAsync(Path, Service("asked", Asked)))["spec"]!;
        Assert.Equal(("IPv6,IPv4", "fd00:96::99,10.96.0.99"), (Joined(spec["ipFamilies"]), Joined(spec["clusterIPs"])));
        Assert.Contains("provided IP is already allocated", (await cluster.PostAsync(Path, Service("taken", "\"clusterIP\":\"fd00:96:0::99\""))).Text, StringComparison.Ordinal);
        Assert.Contains("provided IP is already allocated", (await cluster.PostAsync(Path, Service("taken", "\"clusterIP\":\"10.96.0.99\""))).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("4,6", "\"selector\":{\"a\":\"b\"}", "SingleStack", "IPv4")]
    [InlineData("4,6", "\"selector\":{\"a\":\"b\"},\"ipFamilyPolicy\":\"PreferDualStack\"", "PreferDualStack", "IPv4,IPv6")]
    [InlineData("4,6", "\"ports\":[{\"port\":80}]", "RequireDualStack", "IPv4,IPv6")]
    [InlineData("4", "\"ports\":[{\"port\":80}]", "RequireDualStack", "IPv4,IPv6")]
    [InlineData("4", "\"ports\":[{\"port\":80}],\"ipFamilies\":[\"IPv6\"],\"ipFamilyPolicy\":\"SingleStack\"", "SingleStack", "IPv6")]
    public async Task A_headless_service_has_families_without_addresses(string ranges, string fields, string policy, string families)
    {
        await using var cluster = await StartAsync(ranges);
        var spec = (await cluster.CreateAsync(Path, $$$"""{"metadata":{"name":"s"},"spec":{"clusterIP":"None",{{{fields}}}}}"""))["spec"]!;
        Assert.Equal((policy, families, "None"), (spec["ipFamilyPolicy"]!.GetValue<string>(), Joined(spec["ipFamilies"]), Joined(spec["clusterIPs"])));
    }

    [Fact]
    public async Task A_second_family_comes_and_goes_with_the_policy_and_the_first_stays()
    {
        await using var cluster = await StartAsync("4,6");
        var first = (await cluster.CreateAsync(Path, Service("s", "")))["spec"]!["clusterIP"]!.GetValue<string>();

        var two = await PatchAsync(cluster, """{"spec":{"ipFamilyPolicy":"PreferDualStack"}}""");
        Assert.Equal("IPv4,IPv6", Joined(two["ipFamilies"]));
        Assert.Equal(first, Texts(two["clusterIPs"])[0]);
        Assert.True(Six.Contains(IPAddress.Parse(Texts(two["clusterIPs"])[1])));

        // A replace that says nothing of addresses keeps them.
        var replaced = await cluster.PutAsync(Path + "/s", Service("s", "\"sessionAffinity\":\"ClientIP\""));
        Assert.Equal(Joined(two["clusterIPs"]), Joined(JsonNode.Parse(replaced.Text)!["spec"]!["clusterIPs"]));

        await RefusedAsync(cluster, $$$"""{"spec":{"clusterIPs":["{{{first}}}"]}}""", "must be 'SingleStack' to release the secondary cluster IP");
        await RefusedAsync(cluster, """{"spec":{"ipFamilies":["IPv4"]}}""", "must be 'SingleStack' to release the secondary IP family");
        await RefusedAsync(cluster, """{"spec":{"ipFamilies":["IPv6","IPv4"]}}""", "expected an IPv6 value as indicated by `ipFamilies[0]`");

        var one = await PatchAsync(cluster, """{"spec":{"ipFamilyPolicy":"SingleStack"}}""");
        Assert.Equal((first, "IPv4"), (Joined(one["clusterIPs"]), Joined(one["ipFamilies"])));
        await RefusedAsync(cluster, """{"spec":{"clusterIP":"10.96.0.77"}}""", "spec.clusterIPs[0]: Invalid value: [\"10.96.0.77\"]: may not change once set");
        var again = await PatchAsync(cluster, """{"spec":{"ipFamilyPolicy":"RequireDualStack"}}""");
        Assert.Equal("IPv4,IPv6", Joined(again["ipFamilies"]));
    }

    private static async Task RefusedAsync(Cluster cluster, string patch, string message)
    {
        var answer = await cluster.MergeAsync(Path + "/s", patch);
        Assert.Equal(422, answer.Code);
        Assert.Contains(message, JsonNode.Parse(answer.Text)!["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    private static async Task<JsonNode> PatchAsync(Cluster cluster, string patch)
    {
        var answer = await cluster.MergeAsync(Path + "/s", patch);
        Assert.True(answer.Code == 200, answer.Text);
        return JsonNode.Parse(answer.Text)!["spec"]!;
    }

    private static Task<Cluster> StartAsync(string ranges)
    {
        var addresses = new ServiceAddressesPlugin([.. ranges.Split(',').Select(r => r == "4" ? Four : Six)]);
        return Cluster.StartAsync(dependencies: d => d with { AdmissionPlugins = _ => [addresses] });
    }

    private static string Fields(string policy, string families) => string.Join(',', (string[])
    [
        .. policy.Length > 0 ? (string[])[$"\"ipFamilyPolicy\":\"{policy}\""] : [],
        .. families.Length > 0 ? (string[])[$"\"ipFamilies\":[{string.Join(',', families.Split(',').Select(f => $"\"{f}\""))}]"] : [],
    ]);

    private static string Service(string name, string fields) =>
        $$$"""{"metadata":{"name":"{{{name}}}"},"spec":{{{{fields}}}{{{(fields.Length > 0 ? "," : "")}}}"selector":{"a":"b"},"ports":[{"port":80}]}}""";

    private static List<string> Texts(JsonNode? list) => [.. list!.AsArray().Select(n => n!.GetValue<string>())];

    private static string Joined(JsonNode? list) => string.Join(',', Texts(list));
}
