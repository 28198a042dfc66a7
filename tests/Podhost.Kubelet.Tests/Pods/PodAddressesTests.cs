using Podhost.Kubelet.Pods.Decide;

namespace Podhost.Kubelet.Tests.Pods;

public class PodAddressesTests
{
    [Theory]
    [InlineData("10.0.0.2,fd00::2", "192.168.0.1,fd00:1::1", "10.0.0.2,fd00::2")]
    [InlineData("10.0.0.2,fd00::2", "fd00:1::1,192.168.0.1", "fd00::2,10.0.0.2")]
    [InlineData("fd00::2,10.0.0.2", "192.168.0.1", "10.0.0.2,fd00::2")]
    [InlineData("10.0.0.2,10.0.0.3,fd00::2", "192.168.0.1", "10.0.0.2,fd00::2")]
    [InlineData("fd00::2", "192.168.0.1", "fd00::2")]
    [InlineData("fd00::2,10.0.0.2", "", "fd00::2,10.0.0.2")]
    public void The_family_of_the_nodes_primary_address_comes_first(string ofRuntime, string ofNode, string expected) =>
        Assert.Equal(expected, string.Join(',', PodAddresses.Order([.. ofRuntime.Split(',')], [.. ofNode.Split(',', StringSplitOptions.RemoveEmptyEntries)])));
}
