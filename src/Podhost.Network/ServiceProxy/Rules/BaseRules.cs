using Podhost.Network.ServiceProxy.Model;

namespace Podhost.Network.ServiceProxy.Rules;

/// <summary>The part of the table that is there without any Service: hooks, maps and shared chains. Source: the layout of upstream's nftables proxy.</summary>
internal static class BaseRules
{
    public const string ServiceIPs = "service-ips";
    public const string NodePorts = "node-ports";
    public const string NoEndpointIPs = "no-endpoint-ips";
    public const string NoEndpointNodePorts = "no-endpoint-node-ports";
    public const string ClusterIPs = "cluster-ips";
    public const string Hairpin = "hairpin";
    public const string MarkForMasquerade = "mark-for-masquerade";
    public const string RejectChain = "reject-traffic";

    // A bit of the connection's mark, beside the one of host ports.
    private const string Mark = "0x04000000";
    private const string PortKey = "meta l4proto . th dport";

    public static RulesetPart Of(NodeFacts node)
    {
        var part = new RulesetPart();
        var (ip, type) = (node.Family.Name, node.Family.AddressType);
        part.Sets.AddRange(
        [
            new(ServiceIPs, "map", $"type {type} . inet_proto . inet_service : verdict;"),
            new(NodePorts, "map", "type inet_proto . inet_service : verdict;"),
            new(NoEndpointIPs, "map", $"type {type} . inet_proto . inet_service : verdict;"),
            new(NoEndpointNodePorts, "map", "type inet_proto . inet_service : verdict;"),
            new(ClusterIPs, "set", $"type {type};"),
            new(Hairpin, "set", $"type {type} . {type};"),
        ]);
        part.Chains.AddRange(
        [
            new(MarkForMasquerade, null, $"ct mark set ct mark or {Mark}"),
            new(RejectChain, null, "meta l4proto tcp reject with tcp reset\nreject"),
            new("services", null, $"{IPKey(ip)} vmap @{ServiceIPs}\nfib daddr type local {PortKey} vmap @{NodePorts}"),
            new("nat-prerouting", "type nat hook prerouting priority -100;", "jump services"),
            new("nat-output", "type nat hook output priority -100;", "jump services"),
            new("nat-postrouting", "type nat hook postrouting priority 100;", Masquerading(node)),
            .. Filters(ip),
        ]);
        return part;
    }

    private static string IPKey(string ip) => $"{ip} daddr . meta l4proto . th dport";

    private static string Masquerading(NodeFacts node)
    {
        var ip = node.Family.Name;
        var rules = $"ct mark and {Mark} != 0 masquerade\nct status dnat {ip} saddr . {ip} daddr @{Hairpin} masquerade";
        return node.SeesBridgedTraffic ? rules : $"{rules}\nct status dnat {ip} saddr {node.PodCidr} {ip} daddr {node.PodCidr} masquerade";
    }

    // All after destinations were changed: only what nothing took up still has a Service's address.
    private static IEnumerable<NftChain> Filters(string ip) =>
    [
        new(
            "filter-input",
            "type filter hook input priority -110;",
            $"ct state new {IPKey(ip)} vmap @{NoEndpointIPs}\nct state new fib daddr type local {PortKey} vmap @{NoEndpointNodePorts}"),
        new("filter-forward", "type filter hook forward priority -110;", $"ct state new {IPKey(ip)} vmap @{NoEndpointIPs}\n{ip} daddr @{ClusterIPs} goto {RejectChain}"),
        new(
            "filter-output",
            "type filter hook output priority -90;",
            $"ct state new {IPKey(ip)} vmap @{NoEndpointIPs}\n{ip} daddr @{ClusterIPs} goto {RejectChain}"),
    ];
}
