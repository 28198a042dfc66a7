using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Podhost.Linux.Nftables;
using Podhost.Network.ServiceProxy.Model;

namespace Podhost.Network.ServiceProxy.Rules;

/// <summary>The chains and elements of one port of a Service. Pure. Source: the behaviour of upstream's nftables proxy.</summary>
internal static class PortRules
{
    private const int HashLength = 10;
    private const string Drop = "drop";

    /// <summary>Adds them to a part.</summary>
    public static void Add(RulesetPart part, ServicePort port, IReadOnlyList<ServiceEndpoint> endpoints, NodeFacts node)
    {
        var choice = EndpointChoice.Of(port, endpoints);
        var (family, ip) = (node.Family, node.Family.Name);
        var cluster = Balance(part, port, "service", choice.Cluster, family, $"{ip} daddr {port.ClusterIP} {ip} saddr != {node.PodCidr} jump {BaseRules.MarkForMasquerade}\n");
        var local = Balance(part, port, "local", choice.Local, family, "");
        AddAffinity(part, port, choice, family);
        AddHairpins(part, choice);
        AddInternal(part, port, choice, port.IsInternalLocal ? local : cluster);
        if (port.IsExternal)
        {
            AddExternal(part, port, choice, cluster, local, node);
        }

        AddUdp(part, port, choice);
    }

    private static void AddInternal(RulesetPart part, ServicePort port, EndpointChoice choice, string? chain)
    {
        part.Element(BaseRules.ClusterIPs, port.ClusterIP);
        var key = Key(port.ClusterIP, port);
        if (chain is not null)
        {
            part.Element(BaseRules.ServiceIPs, key, $"goto {chain}");
        }
        else
        {
            part.Element(BaseRules.NoEndpointIPs, key, WithoutEndpoint(choice));
        }
    }

    private static void AddExternal(RulesetPart part, ServicePort port, EndpointChoice choice, string? cluster, string? local, NodeFacts node)
    {
        var target = port.IsExternalLocal ? local : cluster;
        if (choice.HasAny)
        {
            var chain = Name("external", port);
            part.Chains.Add(new NftChain(chain, null, External(port, cluster, target, node)));
            AddAddresses(part, port, port.ExternalIPs, BaseRules.ServiceIPs, $"goto {chain}");
            AddAddresses(part, port, port.LoadBalancerIPs, BaseRules.ServiceIPs, $"goto {Admitted(part, port, chain, node.Family)}");
            AddNodePort(part, port, BaseRules.NodePorts, $"goto {chain}");
        }

        if (target is null)
        {
            AddAddresses(part, port, [.. port.ExternalIPs, .. port.LoadBalancerIPs], BaseRules.NoEndpointIPs, WithoutEndpoint(choice));
            AddNodePort(part, port, BaseRules.NoEndpointNodePorts, WithoutEndpoint(choice));
        }
        else if (port.SourceRanges is not null)
        {
            // Whom the chain did not take up.
            AddAddresses(part, port, port.LoadBalancerIPs, BaseRules.NoEndpointIPs, Drop);
        }
    }

    // The chain for clients of a load balancer: those of the given ranges alone go on.
    private static string Admitted(RulesetPart part, ServicePort port, string chain, NftFamily family)
    {
        if (port.SourceRanges is not { } ranges || port.LoadBalancerIPs.Count == 0)
        {
            return chain;
        }

        var firewall = Name("firewall", port);
        part.Chains.Add(new NftChain(firewall, null, string.Join('\n', ranges.Select(range => $"{family.Name} saddr {range} goto {chain}"))));
        return firewall;
    }

    private static void AddAddresses(RulesetPart part, ServicePort port, IReadOnlyList<string> addresses, string map, string verdict)
    {
        foreach (var address in addresses)
        {
            part.Element(map, Key(address, port), verdict);
        }
    }

    // Policy Cluster hides the client: another node may have to send the answer back by this one. Policy Local keeps it, and counts pods and
    // the node itself as inside.
    private static string External(ServicePort port, string? cluster, string? target, NodeFacts node)
    {
        if (!port.IsExternalLocal)
        {
            return $"jump {BaseRules.MarkForMasquerade}\ngoto {target}";
        }

        var inside = cluster is null ? "" :
            $"{node.Family.Name} saddr {node.PodCidr} goto {cluster}\nfib saddr type local jump {BaseRules.MarkForMasquerade}\nfib saddr type local goto {cluster}\n";
        return target is null ? inside.TrimEnd('\n') : $"{inside}goto {target}";
    }

    private static void AddNodePort(RulesetPart part, ServicePort port, string map, string verdict)
    {
        if (port.NodePort > 0)
        {
            part.Element(map, Invariant($"{port.Protocol} . {port.NodePort}"), verdict);
        }
    }

    // The chain that spreads traffic over endpoints; null where there are none.
    private static string? Balance(RulesetPart part, ServicePort port, string kind, IReadOnlyList<ServiceEndpoint> endpoints, NftFamily family, string first)
    {
        if (endpoints.Count == 0)
        {
            return null;
        }

        var chain = Name(kind, port);
        part.Chains.Add(new NftChain(chain, null, first + (port.AffinitySeconds is null ? Spread(port, endpoints, family) : Sticky(port, endpoints, family))));
        return chain;
    }

    private static string Spread(ServicePort port, IReadOnlyList<ServiceEndpoint> endpoints, NftFamily family)
    {
        var targets = endpoints.Select((e, i) => Invariant($"{i} : {e.Address} . {e.Port}"));
        return Invariant($"meta l4proto {port.Protocol} dnat {family.Name} to numgen random mod {endpoints.Count} map {{ {string.Join(", ", targets)} }}");
    }

    private static string Sticky(ServicePort port, IReadOnlyList<ServiceEndpoint> endpoints, NftFamily family)
    {
        var known = endpoints.Select(e => $"{family.Name} saddr @{Name("affinity", port, e)} goto {Name("endpoint", port, e)}\n");
        var targets = endpoints.Select((e, i) => Invariant($"{i} : goto {Name("endpoint", port, e)}"));
        return string.Concat(known) + Invariant($"numgen random mod {endpoints.Count} vmap {{ {string.Join(", ", targets)} }}");
    }

    private static void AddAffinity(RulesetPart part, ServicePort port, EndpointChoice choice, NftFamily family)
    {
        if (port.AffinitySeconds is not { } seconds)
        {
            return;
        }

        foreach (var endpoint in choice.Cluster.Concat(choice.Local).DistinctBy(e => e.Target))
        {
            var set = Name("affinity", port, endpoint);
            part.Sets.Add(new NftSet(set, "set", Invariant($"type {family.AddressType}; size 65535; flags dynamic,timeout; timeout {seconds}s;"), IsDynamic: true));
            part.Chains.Add(new NftChain(
                Name("endpoint", port, endpoint),
                null,
                Invariant($"update @{set} {{ {family.Name} saddr }}\nmeta l4proto {port.Protocol} dnat to {family.Endpoint(endpoint.Address, endpoint.Port)}")));
        }
    }

    // A pod that reaches itself would take its own address for a forged one.
    private static void AddHairpins(RulesetPart part, EndpointChoice choice)
    {
        foreach (var address in choice.Cluster.Concat(choice.Local).Select(e => e.Address).Distinct())
        {
            part.Element(BaseRules.Hairpin, $"{address} . {address}");
        }
    }

    private static void AddUdp(RulesetPart part, ServicePort port, EndpointChoice choice)
    {
        if (port.Protocol != "udp")
        {
            return;
        }

        var targets = string.Join(',', choice.Cluster.Concat(choice.Local).Select(e => e.Target).Distinct().Order(StringComparer.Ordinal));
        part.Udp.AddRange(port.ExternalIPs.Concat(port.LoadBalancerIPs).Prepend(port.ClusterIP).Select(ip => new UdpFrontend(ip, port.Number, targets)));
        if (port.NodePort > 0)
        {
            part.Udp.Add(new UdpFrontend(null, port.NodePort, targets));
        }
    }

    private static string WithoutEndpoint(EndpointChoice choice) => choice.HasAny ? Drop : $"goto {BaseRules.RejectChain}";

    private static string Key(string address, ServicePort port) => Invariant($"{address} . {port.Protocol} . {port.Number}");

    // What distinguishes is in the hash; the rest is for people (a name has no colons). A set's timeout cannot be changed: another one is another set.
    private static string Name(string kind, ServicePort port, ServiceEndpoint? endpoint = null)
    {
        var id = endpoint is null ? port.Id : Invariant($"{port.Id}__{endpoint.Address}/{endpoint.Port}");
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Invariant($"{kind} {id} {port.AffinitySeconds}"))))[..HashLength];
        return $"{kind}-{hash}-{id.Replace(':', '.')}";
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
