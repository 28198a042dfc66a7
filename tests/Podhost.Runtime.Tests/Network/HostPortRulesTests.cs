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
            ["10.1.0.5"]);
        var script = HostPortRules.Replace("br-1", [IPNetwork.Parse("10.1.0.0/24")], ports);
        Assert.DoesNotContain("ip6", script, StringComparison.Ordinal);
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
        Assert.Throws<ArgumentException>(() => HostPort.From([new PortMapping { HostPort = 1, Protocol = protocol, HostIp = hostIp }], ["10.1.0.5"]).ToList());

    [Fact]
    public void Pods_of_both_families_have_their_ports_in_a_table_of_each()
    {
        var ports = HostPort.From(
            [
                new PortMapping { HostPort = 80, ContainerPort = 8080 },
                new PortMapping { HostPort = 81, ContainerPort = 8080, HostIp = "0.0.0.0" },
                new PortMapping { HostPort = 82, ContainerPort = 8080, HostIp = "::" },
                new PortMapping { HostPort = 83, ContainerPort = 8080, HostIp = "fd00:1::0" },
            ],
            ["10.1.0.5", "fd00::5"]).ToList();
        Assert.Equal(ports.Count, ports.Select(port => port.Key).Distinct().Count());
        var script = HostPortRules.Replace("br0", [IPNetwork.Parse("10.1.0.0/24"), IPNetwork.Parse("fd00::/64")], ports);
        foreach (var expected in (string[])
        [
            "map tcp_ports { type inet_service : ipv4_addr . inet_service; elements = { 80 : 10.1.0.5 . 8080, 81 : 10.1.0.5 . 8080, 82 : 10.1.0.5 . 8080 }; }",
            "add table ip6 podhost_br0\ndelete table ip6 podhost_br0\ntable ip6 podhost_br0 {",
            "map tcp_ports { type inet_service : ipv6_addr . inet_service; elements = { 80 : fd00::5 . 8080, 82 : fd00::5 . 8080 }; }",
            "map tcp_bound { type ipv6_addr . inet_service : ipv6_addr . inet_service; elements = { fd00:1:: . 83 : fd00::5 . 8080 }; }",
            "ip6 saddr { fd00::/64, ::1 } ct mark set ct mark or 0x02000000",
            "meta l4proto tcp dnat ip6 to ip6 daddr . tcp dport map @tcp_bound",
            "ip6 saddr fd00::/64 ip6 daddr != { fd00::/64, ff00::/8 } meta mark and 0x08000000 == 0 masquerade",
        ])
        {
            Assert.Contains(expected, script, StringComparison.Ordinal);
        }
    }
}
