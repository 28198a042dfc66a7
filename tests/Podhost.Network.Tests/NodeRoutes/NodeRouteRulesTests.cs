using System.Net;
using k8s.Models;
using Podhost.Network.NodeRoutes;

namespace Podhost.Network.Tests.NodeRoutes;

public sealed class NodeRouteRulesTests
{
    private static readonly NodeRouteOptions Own = new("a", "br0", [IPNetwork.Parse("10.0.0.0/24")], "/none");

    [Fact]
    public void Each_other_node_with_a_range_and_an_address_has_a_route() => Assert.Equal(
        ["10.0.1.0/24 192.168.0.2", "10.0.2.0/24 192.168.0.3"],
        Wanted(Node("a", "192.168.0.1", "10.0.0.0/24"), Node("b", "192.168.0.2", "10.0.1.0/24"), Node("c", "192.168.0.3", "fd00::/64", "10.0.2.0/24"), Node("d", "192.168.0.4"), Node("e", null, "10.0.3.0/24")));

    [Theory]
    [InlineData("0.0.0.0/0")]
    [InlineData("8.0.0.0/7")]
    [InlineData("10.0.0.0/16")]
    [InlineData("10.0.0.128/25")]
    [InlineData("192.168.0.0/24")]
    [InlineData("nonsense")]
    [InlineData("10.0.1.0/24; flush ruleset")]
    public void A_range_that_would_take_others_traffic_has_none(string range) =>
        Assert.Empty(Wanted(Node("a", "192.168.0.1", "10.0.0.0/24"), Node("b", "192.168.0.2", range)));

    [Fact]
    public void Of_two_that_overlap_the_first_by_name_has_one() => Assert.Equal(
        ["10.0.1.0/24 192.168.0.2"], Wanted(Node("c", "192.168.0.3", "10.0.1.128/25"), Node("b", "192.168.0.2", "10.0.1.0/24")));

    [Fact]
    public void The_table_marks_what_goes_to_other_nodes_pods()
    {
        var script = NodeRouteRules.Table(Own, [IPNetwork.Parse("10.0.1.0/24"), IPNetwork.Parse("10.0.2.0/24")]);
        Assert.StartsWith("add table ip podhost_br0_nodes\ndelete table ip podhost_br0_nodes\ntable ip podhost_br0_nodes {", script, StringComparison.Ordinal);
        Assert.Contains("elements = { 10.0.1.0/24, 10.0.2.0/24 };", script, StringComparison.Ordinal);
        Assert.Contains("ip saddr 10.0.0.0/24 ip daddr @ranges meta mark set meta mark or 0x08000000", script, StringComparison.Ordinal);
        Assert.DoesNotContain("elements", NodeRouteRules.Table(Own, []), StringComparison.Ordinal);
    }

    [Fact]
    public void Nodes_of_both_families_have_routes_and_tables_of_both()
    {
        var own = Own with { PodCidrs = [.. Own.PodCidrs, IPNetwork.Parse("fd00:85::/64")] };
        var node = Node("b", "192.168.0.2", "10.0.1.0/24", "fd00:85:0:1::/64");
        node.Status.Addresses.Add(new V1NodeAddress { Type = "InternalIP", Address = "fd00::2" });
        var routes = NodeRouteRules.Wanted([node, Node("c", "192.168.0.3", "fd00:85:0:2::/64"), Node("d", "fd00::4", "fd00::/15")], own);
        Assert.Equal(["10.0.1.0/24 192.168.0.2", "fd00:85:0:1::/64 fd00::2"], routes.Select(r => $"{r.Key} {r.Value}"));
        var script = NodeRouteRules.Table(own, routes.Keys);
        Assert.Contains("table ip6 podhost_br0_nodes {\n  set ranges { type ipv6_addr; flags interval; elements = { fd00:85:0:1::/64 }; }", script, StringComparison.Ordinal);
        Assert.Contains("ip6 saddr fd00:85::/64 ip6 daddr @ranges meta mark set meta mark or 0x08000000", script, StringComparison.Ordinal);
        Assert.Contains("elements = { 10.0.1.0/24 };", script, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Wanted(params V1Node[] nodes) => NodeRouteRules.Wanted(nodes, Own).Select(r => $"{r.Key} {r.Value}");

    private static V1Node Node(string name, string? address, params string[] ranges) => new()
    {
        Metadata = new V1ObjectMeta { Name = name },
        Spec = new V1NodeSpec { PodCIDR = ranges.FirstOrDefault(), PodCIDRs = ranges.Length == 0 ? null : ranges },
        Status = new V1NodeStatus { Addresses = address is null ? null : [new V1NodeAddress { Type = "Hostname", Address = name }, new V1NodeAddress { Type = "InternalIP", Address = address }] },
    };
}
