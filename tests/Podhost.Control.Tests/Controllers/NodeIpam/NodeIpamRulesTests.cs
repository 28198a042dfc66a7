using System.Net;
using Podhost.Control.Controllers.NodeIpam;

namespace Podhost.Control.Tests.Controllers.NodeIpam;

public sealed class NodeIpamRulesTests
{
    [Theory]
    [InlineData("10.0.0.0/22", 24, null, "", "10.0.0.0/24")]
    [InlineData("10.0.0.0/22", 24, null, "10.0.0.0/24", "10.0.1.0/24")]
    [InlineData("10.0.0.0/22", 24, null, "10.0.1.0/24,10.0.0.0/24", "10.0.2.0/24")]
    [InlineData("10.0.0.0/22", 24, null, "10.0.0.0/24,10.0.2.0/24", "10.0.1.0/24")]
    [InlineData("10.0.0.0/22", 24, null, "10.0.0.0/25", "10.0.1.0/24")]
    [InlineData("10.0.0.0/22", 24, null, "10.0.0.0/23,10.0.0.128/25", "10.0.2.0/24")]
    [InlineData("10.0.0.0/22", 24, null, "192.168.0.0/16", "10.0.0.0/24")]
    [InlineData("10.0.0.0/22", 24, null, "10.0.0.0/8", null)]
    [InlineData("10.0.0.0/22", 24, null, "10.0.0.0/24,10.0.1.0/24,10.0.2.0/24,10.0.3.0/24", null)]
    [InlineData("10.0.0.0/22", 24, "me", "", "10.0.1.0/24")]
    [InlineData("10.0.0.0/22", 24, "n", "10.0.1.0/24", "10.0.0.0/24")]
    [InlineData("10.0.0.0/22", 24, "n", "10.0.0.0/24", null)]
    [InlineData("10.0.0.0/24", 24, "me", "", null)]
    [InlineData("255.255.255.0/24", 25, null, "255.255.255.0/25", "255.255.255.128/25")]
    [InlineData("255.255.255.0/24", 25, null, "255.255.255.0/25,255.255.255.128/25", null)]
    [InlineData("fd00:85::/48", 64, null, "fd00:85::/64,10.0.0.0/8", "fd00:85:0:1::/64")]
    [InlineData("fd00:85::/48", 64, "me", "", "fd00:85:0:1::/64")]
    [InlineData("fd00:85::/64", 64, "me", "", null)]
    public void A_node_gets_the_lowest_range_that_nobody_has(string cluster, int mask, string? first, string taken, string? expected) =>
        Assert.Equal(expected, $"{NodeIpamRules.Next(new ClusterRange(IPNetwork.Parse(cluster), mask), first == "n", first is not null, Ranges(taken))}" is { Length: > 0 } range ? range : null);

    [Fact]
    public void No_range_is_given_twice_and_all_are_given()
    {
        var options = new NodeIpamOptions([new(IPNetwork.Parse("10.4.0.0/16"), 24), new(IPNetwork.Parse("fd00:4::/48"), 64)], "first");
        var given = new List<IPNetwork>();
        while (NodeIpamRules.Next(options, $"n{given.Count}", [.. given.AsEnumerable().Reverse()]) is { } ranges)
        {
            given.AddRange(ranges);
        }

        given.AddRange(NodeIpamRules.Next(options, "first", given)!);
        Assert.Equal(512, given.Distinct().Count());
        Assert.Equal(512, given.Count);
        Assert.All(options.Ranges, range => Assert.Equal(256, given.Count(r => range.Cidr.Contains(r.BaseAddress) && r.PrefixLength == range.NodeMaskSize)));
    }

    [Fact]
    public void Ranges_of_a_node_are_those_that_can_be_read()
    {
        var node = Objects.Node("n");
        Assert.False(NodeIpamRules.HasRange(node));
        node.Spec.PodCIDR = "nonsense";
        Assert.True(NodeIpamRules.HasRange(node));
        Assert.Empty(NodeIpamRules.RangesOf(node));
        node.Spec.PodCIDRs = ["10.0.0.0/24", "fd00::/64"];
        Assert.Equal(2, NodeIpamRules.RangesOf(node).Count());
    }

    private static IEnumerable<IPNetwork> Ranges(string text) => text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(r => IPNetwork.Parse(r));
}
