using System.Net;
using Podhost.Cri.V1;
using Podhost.Runtime.Network;

namespace Podhost.Runtime.Tests.Network;

public sealed class HostPortRulesTests
{
    [Fact]
    public void The_table_is_replaced_whole_with_all_ports()
    {
        var ports = HostPort.From(
            [
                new PortMapping { HostPort = 80, ContainerPort = 8080 },
                new PortMapping { HostPort = 53, ContainerPort = 5353, Protocol = Protocol.Udp, HostIp = "127.0.0.1" },
                new PortMapping { ContainerPort = 9 },
            ],
            "10.1.0.5");
        var script = HostPortRules.Replace("br-1", IPNetwork.Parse("10.1.0.0/24"), ports);
        Assert.StartsWith("add table ip podhost_br_1\ndelete table ip podhost_br_1\ntable ip podhost_br_1 {", script, StringComparison.Ordinal);
        Assert.Contains("map tcp_ports { type inet_service : ipv4_addr . inet_service; elements = { 80 : 10.1.0.5 . 8080 }; }", script, StringComparison.Ordinal);
        Assert.Contains("elements = { 127.0.0.1 . 53 : 10.1.0.5 . 5353 };", script, StringComparison.Ordinal);
        Assert.Contains("ip saddr 10.1.0.0/24 ip daddr != { 10.1.0.0/24, 224.0.0.0/4 } meta mark and 0x08000000 == 0 masquerade", script, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Protocol.Sctp, "")]
    [InlineData(Protocol.Tcp, "1.2.3.4; flush ruleset")]
    [InlineData(Protocol.Tcp, "fe80::1")]
    public void What_the_rules_cannot_hold_is_refused(Protocol protocol, string hostIp) =>
        Assert.Throws<ArgumentException>(() => HostPort.From([new PortMapping { HostPort = 1, Protocol = protocol, HostIp = hostIp }], "10.1.0.5").ToList());
}
