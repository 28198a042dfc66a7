using System.Net;
using Podhost.Configuration;
using Podhost.Hosting;

namespace Podhost.Tests;

/// <summary>Ranges and addresses of one family or of both.</summary>
public class AddressOptionTests
{
    [Theory]
    [InlineData("10.85.0.0/16", null, "10.96.0.0/16", "0.0.0.0")]
    [InlineData("10.85.0.0/16,fd00:85::/64", null, "10.96.0.0/16,fd00:10:96::/112", "::")]
    [InlineData("fd00:85::/64, 10.85.0.0/16", null, "fd00:10:96::/112,10.96.0.0/16", "::")]
    [InlineData("fd00:85::/64", null, "fd00:10:96::/112", "::")]
    [InlineData("10.85.0.0/16,fd00:85::/64", "10.97.0.0/16", "10.97.0.0/16", "::")]
    public void Services_have_the_families_of_pods_and_servers_listen_on_both(string pods, string? services, string expected, string bind)
    {
        var options = OptionRules.Check(Options(pods, services));
        Assert.Equal(expected, string.Join(',', options.ServiceCidrs));
        Assert.Equal(IPAddress.Parse(bind), options.BindAddress);
        Assert.Equal(IPAddress.Loopback, (options with { BindAddressGiven = IPAddress.Loopback }).BindAddress);
    }

    [Theory]
    [InlineData("10.85.0.0/16,10.86.0.0/16", null, "--pod-cidr: Invalid value: \"10.85.0.0/16,10.86.0.0/16\": must have at most one of each address family")]
    [InlineData("fd00::/24", null, "--pod-cidr: Invalid value: \"fd00::/24\": must be an IPv4 range between /8 and /29 or an IPv6 range between /32 and /123")]
    [InlineData("10.85.0.0/16", "fd00:96::/108", "--service-cidr: Invalid value: \"fd00:96::/108\": must be of a family of --pod-cidr 10.85.0.0/16")]
    [InlineData("fd00:85::/64", "fd00:96::/48", "--service-cidr: Invalid value: \"fd00:96::/48\": must be an IPv4 range between /8 and /28 or an IPv6 range between /64 and /124")]
    [InlineData("fd00:85::/64", "fd00:85::/108", "--service-cidr: Invalid value: \"fd00:85::/108\": must not overlap with --pod-cidr fd00:85::/64")]
    public void Ranges_that_do_not_fit_are_refused(string pods, string? services, string message) => Assert.StartsWith(
        message, Assert.Throws<ConfigurationException>(() => OptionRules.Check(Options(pods, services))).Message, StringComparison.Ordinal);

    [Fact]
    public void A_nodes_part_of_both_ranges_is_the_first_and_is_checked_against_its_mask()
    {
        var options = Options("10.85.0.0/16,fd00:85::/48", null) with { AllocateNodeCidrs = true };
        var own = NodeRanges.OfOwnNode(OptionRules.Check(options));
        Assert.Equal("10.85.0.0/24,fd00:85::/64", string.Join(',', own.PodCidrs));
        Assert.Equal("10.85.0.0/16,fd00:85::/48", string.Join(',', own.ClusterCidrs!));
        Assert.Contains("--node-cidr-mask-size-ipv6", Assert.Throws<ConfigurationException>(() => OptionRules.Check(options with { NodeCidrMaskSizeIPv6 = 32 })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_node_has_the_given_addresses_or_one_of_each_family()
    {
        IPAddress[] given = [IPAddress.Parse("2001:db8::2"), IPAddress.Parse("192.0.2.2")];
        var options = Options("10.85.0.0/16,fd00:85::/64", null);
        Assert.Equal(given, NodeAddress.All(options with { NodeIPs = given }));
        Assert.Equal(given[1], NodeAddress.OfFamily(given, System.Net.Sockets.AddressFamily.InterNetwork));
        Assert.Equal("fd00:85::1", NodeAddress.Gateway(options.PodCidrs[1]).ToString());
        Assert.Contains(NodeAddress.All(options), address => address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 && !address.IsIPv6LinkLocal);
        Assert.DoesNotContain(NodeAddress.All(Options("10.85.0.0/16", null)), address => address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6);
        Assert.Throws<ConfigurationException>(() => OptionRules.Check(options with { NodeIPs = [given[0], given[0]] }));
    }

    private static PodhostOptions Options(string pods, string? services) => new()
    {
        NodeName = "n",
        PodCidrs = OptionParsing.Networks("--pod-cidr", pods),
        ServiceCidrsGiven = services is null ? null : OptionParsing.Networks("--service-cidr", services),
    };
}
