using System.Net;
using k8s.Models;
using Podhost.Linux.Nftables;

namespace Podhost.Network.ServiceProxy.Model;

/// <summary>One port of a Service, reduced to what decides where its traffic goes.</summary>
internal sealed record ServicePort
{
    private const int DefaultAffinitySeconds = 10800;
    private const string ProxyName = "service.kubernetes.io/service-proxy-name";

    /// <summary>The Service's namespace.</summary>
    public required string Namespace { get; init; }

    /// <summary>The Service's name.</summary>
    public required string Name { get; init; }

    /// <summary>The port's name; empty for the only one.</summary>
    public required string PortName { get; init; }

    /// <summary>tcp, udp or sctp.</summary>
    public required string Protocol { get; init; }

    /// <summary>The port.</summary>
    public required int Number { get; init; }

    /// <summary>The cluster IP.</summary>
    public required string ClusterIP { get; init; }

    /// <summary>External IPs.</summary>
    public required IReadOnlyList<string> ExternalIPs { get; init; }

    /// <summary>Addresses that a load balancer gave.</summary>
    public IReadOnlyList<string> LoadBalancerIPs { get; init; } = [];

    /// <summary>The only clients of the load balancer's addresses; null for all.</summary>
    public IReadOnlyList<string>? SourceRanges { get; init; }

    /// <summary>The node port; 0 for none.</summary>
    public int NodePort { get; init; }

    /// <summary>Traffic from inside goes to endpoints of this node only.</summary>
    public bool IsInternalLocal { get; init; }

    /// <summary>Traffic from outside goes to endpoints of this node only, and keeps its source.</summary>
    public bool IsExternalLocal { get; init; }

    /// <summary>How long a client stays with its endpoint; null without session affinity.</summary>
    public int? AffinitySeconds { get; init; }

    /// <summary>It is reached from outside the cluster.</summary>
    public bool IsExternal => NodePort > 0 || ExternalIPs.Count > 0 || LoadBalancerIPs.Count > 0;

    /// <summary>namespace/name/protocol/port, as it appears in names of chains.</summary>
    public string Id => $"{Namespace}/{Name}/{Protocol}/{(PortName.Length > 0 ? PortName : $"{Number}")}";

    /// <summary>The ports of a Service that have rules of a family: none for a headless one, an alias, one that another proxy serves, or one of the other family.</summary>
    public static IEnumerable<ServicePort> Of(V1Service service, NftFamily family) =>
        service.Spec is { Type: not "ExternalName" } spec && ClusterIPOf(spec, family) is { } clusterIP && service.Metadata.Labels?.ContainsKey(ProxyName) != true
            ? (spec.Ports ?? []).Select(port => From(service, port, clusterIP, family))
            : [];

    /// <summary>The canonical form of an address of a family; null for everything else.</summary>
    public static string? Address(string? text, NftFamily family) =>
        IPAddress.TryParse(text, out var address) && NftFamily.Of(address) == family ? address.ToString() : null;

    private static string? ClusterIPOf(V1ServiceSpec spec, NftFamily family) => (spec.ClusterIPs ?? []).Prepend(spec.ClusterIP).Select(ip => Address(ip, family)).FirstOrDefault(ip => ip is not null);

    private static ServicePort From(V1Service service, V1ServicePort port, string clusterIP, NftFamily family) => new()
    {
        Namespace = service.Metadata.NamespaceProperty,
        Name = service.Metadata.Name,
        PortName = port.Name ?? "",
        Protocol = port.Protocol switch { "UDP" => "udp", "SCTP" => "sctp", _ => "tcp" },
        Number = port.Port,
        ClusterIP = clusterIP,
        ExternalIPs = Addresses(service.Spec.ExternalIPs, family),
        LoadBalancerIPs = service.Spec.Type == "LoadBalancer" ? Addresses(Ingress(service), family) : [],
        SourceRanges = service.Spec.LoadBalancerSourceRanges is { Count: > 0 } ranges ? [.. ranges.Select(range => Range(range, family)).OfType<string>()] : null,
        NodePort = service.Spec.Type is "NodePort" or "LoadBalancer" ? port.NodePort ?? 0 : 0,
        IsInternalLocal = service.Spec.InternalTrafficPolicy == "Local",
        IsExternalLocal = service.Spec.ExternalTrafficPolicy == "Local",
        AffinitySeconds = service.Spec.SessionAffinity == "ClientIP" ? service.Spec.SessionAffinityConfig?.ClientIP?.TimeoutSeconds ?? DefaultAffinitySeconds : null,
    };

    private static List<string> Addresses(IEnumerable<string>? texts, NftFamily family) => [.. (texts ?? []).Select(text => Address(text, family)).OfType<string>().Distinct()];

    private static string? Range(string text, NftFamily family) =>
        IPNetwork.TryParse(text.Trim(), out var range) && NftFamily.Of(range) == family ? range.ToString() : null;

    // A load balancer with ipMode Proxy brings packets for the node's own addresses: its address is not ours to catch.
    private static IEnumerable<string> Ingress(V1Service service) =>
        (service.Status?.LoadBalancer?.Ingress ?? []).Where(i => i.IpMode is null or "VIP").Select(i => i.Ip);
}
