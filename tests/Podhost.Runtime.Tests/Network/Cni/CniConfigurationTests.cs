using System.Text.Json.Nodes;
using Grpc.Core;
using Podhost.Cri.V1;
using Podhost.Runtime.Network.Cni;

namespace Podhost.Runtime.Tests.Network.Cni;

public sealed class CniConfigurationTests
{
    private static readonly CniConfiguration Network = CniConfiguration.Parse("""
        {"cniVersion": "1.0.0", "name": "pods", "plugins": [
          {"type": "bridge", "bridge": "cni0"},
          {"type": "portmap", "capabilities": {"portMappings": true}},
          {"type": "bandwidth", "capabilities": {"bandwidth": true}}]}
        """);

    [Theory]
    [InlineData("0.3.0")]
    [InlineData("0.3.1")]
    [InlineData("0.4.0")]
    [InlineData("1.0.0")]
    [InlineData("1.1.0")]
    public void Every_version_of_lists_is_taken(string version) =>
        Assert.Equal(version, CniConfiguration.Parse($$"""{"cniVersion": "{{version}}", "name": "n", "plugins": [{"type": "bridge"}] }""").Version);

    [Theory]
    [InlineData("""{"cniVersion": "0.2.0", "name": "n", "type": "bridge"}""", "cniVersion: Unsupported value: \"0.2.0\"")]
    [InlineData("""{"cniVersion": "2.0.0", "name": "n", "type": "bridge"}""", "cniVersion: Unsupported value: \"2.0.0\"")]
    [InlineData("""{"cniVersion": "1.0.0", "type": "bridge"}""", "name: Required value")]
    [InlineData("""{"cniVersion": "1.0.0", "name": "n", "plugins": []}""", "plugins:")]
    [InlineData("""{"cniVersion": "1.0.0", "name": "n", "plugins": [{"type": "../bin/sh"}]}""", "plugins:")]
    [InlineData("""{"cniVersion": "1.0.0", "name": "n", "plugins": {"type": "x"}}""", "plugins: must be a list")]
    [InlineData("[]", "not an object")]
    public void What_is_no_network_is_refused_with_the_reason(string json, string reason) =>
        Assert.Contains(reason, Assert.Throws<FormatException>(() => CniConfiguration.Parse(json)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_configuration_of_one_plugin_is_a_list_of_one()
    {
        var single = CniConfiguration.Parse("""{"cniVersion": "0.4.0", "name": "n", "type": "ptp", "mtu": 1400}""");
        Assert.Equal(1400, (int)Assert.Single(single.Plugins)["mtu"]!);
        Assert.True(single.HasCheck);
        Assert.False((single with { DisableCheck = true }).HasCheck);
        Assert.False((single with { Version = "0.3.1" }).HasCheck);
    }

    [Fact]
    public void What_is_written_is_read_again()
    {
        var again = CniConfiguration.Parse((Network with { DisableCheck = true }).Serialize());
        Assert.Equal((Network.Name, Network.Version, true), (again.Name, again.Version, again.DisableCheck));
        Assert.Equal(Network.Plugins.Select(p => p.ToJsonString()), again.Plugins.Select(p => p.ToJsonString()));
    }

    [Fact]
    public void A_plugin_gets_the_capabilities_that_it_declares_and_the_result_before_it()
    {
        var config = Pod();
        config.PortMappings.Add(new PortMapping { HostPort = 8080, ContainerPort = 80, Protocol = Protocol.Udp, HostIp = "127.0.0.1" });
        config.Annotations["kubernetes.io/ingress-bandwidth"] = "10M";
        var capabilities = CniCapabilities.Of(Network, config, [System.Net.IPNetwork.Parse("10.1.0.0/24")]);
        var previous = (JsonObject)JsonNode.Parse("""{"cniVersion": "1.0.0"}""")!;

        var requests = Network.Plugins.Select(plugin => CniChain.Request(Network, plugin, capabilities, previous)).ToList();

        Assert.Null(requests[0]["runtimeConfig"]);
        Assert.Equal(
            """{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"udp","hostIP":"127.0.0.1"}]}""", requests[1]["runtimeConfig"]!.ToJsonString());
        Assert.Equal("""{"bandwidth":{"ingressRate":10000000,"ingressBurst":2147483647}}""", requests[2]["runtimeConfig"]!.ToJsonString());
        Assert.All(requests, request => Assert.Equal(("pods", "1.0.0", "1.0.0"), ((string?)request["name"], (string?)request["cniVersion"], (string?)request["prevResult"]!["cniVersion"])));
        Assert.All(requests, request => Assert.Null(request["capabilities"]));
    }

    [Theory]
    [InlineData("10X")]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("-5M")]
    [InlineData("99999999999999999999")]
    public void A_bandwidth_that_is_no_quantity_is_refused(string text)
    {
        var config = Pod();
        config.Annotations["kubernetes.io/egress-bandwidth"] = text;
        var failure = Assert.Throws<RpcException>(() => CniCapabilities.Of(Network, config, [System.Net.IPNetwork.Parse("10.1.0.0/24")]));
        Assert.Contains("kubernetes.io/egress-bandwidth: Invalid value", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void What_no_plugin_offers_is_refused()
    {
        var plain = CniConfiguration.Parse("""{"cniVersion": "1.0.0", "name": "plain", "type": "bridge"}""");
        var config = Pod();
        config.PortMappings.Add(new PortMapping { HostPort = 8080, ContainerPort = 80 });
        var failure = Assert.Throws<RpcException>(() => CniCapabilities.Of(plain, config, [System.Net.IPNetwork.Parse("10.1.0.0/24")]));
        Assert.Equal("hostPort: no plugin of CNI network \"plain\" has the capability portMappings", failure.Status.Detail);
    }

    [Theory]
    [InlineData("""{"ips": [{"address": "fd00::5/64", "interface": 1}, {"address": "10.1.0.5/24", "interface": 1}], "interfaces": [{"name": "cni0"}, {"name": "eth0", "sandbox": "/x"}]}""", "10.1.0.5 fd00::5", "cni0")]
    [InlineData("""{"ips": [{"address": "10.1.0.1/24", "interface": 0}, {"address": "10.1.0.5/24", "interface": 2}], "interfaces": [{"name": "cni0"}, {"name": "veth1"}, {"name": "eth0", "sandbox": "/x"}]}""", "10.1.0.5", "veth1")]
    [InlineData("""{"ips": [{"version": "4", "address": "10.1.0.5/24"}]}""", "10.1.0.5", null)]
    public void The_pods_addresses_are_those_inside_it(string json, string addresses, string? hostInterface)
    {
        var result = CniResult.Parse((JsonObject)JsonNode.Parse(json)!);
        Assert.Equal((addresses, hostInterface), (string.Join(' ', result.Addresses), result.HostInterface));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"ips": [{"address": "nonsense/24"}]}""")]
    public void A_result_without_an_address_is_refused(string json) =>
        Assert.Throws<FormatException>(() => CniResult.Parse((JsonObject)JsonNode.Parse(json)!));

    private static PodSandboxConfig Pod() => new() { Metadata = new PodSandboxMetadata { Name = "p", Namespace = "n", Uid = "u" } };
}
