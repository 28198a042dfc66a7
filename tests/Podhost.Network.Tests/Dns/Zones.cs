using k8s.Models;
using Podhost.Network.Dns.Zones;

namespace Podhost.Network.Tests.Dns;

/// <summary>Services, slices and the zone that the tests look into.</summary>
internal static class Zones
{
    public static ZoneOptions Options { get; } = new()
    {
        ServerAddresses = [System.Net.IPAddress.Parse("10.96.0.10")],
        OwnRanges = [System.Net.IPNetwork.Parse("10.96.0.0/12"), System.Net.IPNetwork.Parse("10.85.0.0/16"), System.Net.IPNetwork.Parse("fd00:96::/108")],
    };

    public static V1Service Service(string name, string? clusterIP, params (string? Name, string Protocol, int Port)[] ports) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "shop", Uid = name },
        Spec = new V1ServiceSpec
        {
            Type = "ClusterIP",
            ClusterIP = clusterIP,
            ClusterIPs = clusterIP is null ? null : [clusterIP],
            Ports = [.. ports.Select(p => new V1ServicePort { Name = p.Name, Protocol = p.Protocol, Port = p.Port })],
        },
    };

    public static V1Service External(string name, string to) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "shop", Uid = name },
        Spec = new V1ServiceSpec { Type = "ExternalName", ExternalName = to },
    };

    public static V1EndpointSlice Slice(string service, (string? Name, string Protocol, int Port)[] ports, params (string Address, string? Hostname, bool? Ready)[] endpoints) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = $"{service}-{endpoints.Length}",
            NamespaceProperty = "shop",
            Labels = new Dictionary<string, string> { ["kubernetes.io/service-name"] = service },
        },
        AddressType = endpoints.Any(e => e.Address.Contains(':')) ? "IPv6" : "IPv4",
        Endpoints = [.. endpoints.Select(e => new V1Endpoint
        {
            Addresses = [e.Address],
            Hostname = e.Hostname,
            Conditions = new V1EndpointConditions { Ready = e.Ready, Terminating = e.Ready == false },
        })],
        Ports = [.. ports.Select(p => new Discoveryv1EndpointPort { Name = p.Name, Protocol = p.Protocol, Port = p.Port })],
    };

    /// <summary>A Service with an address, a headless one, empty ones, and external names that lead to Services, to outside and to each other.</summary>
    public static Zone Shop()
    {
        (string?, string, int)[] http = [("http", "TCP", 80), ("dns", "UDP", 53)];
        return Zone.Empty(7).With("bare", exists: true)
            .Add(Service("web", "10.96.1.1", http), Slice("web", [("http", "TCP", 8080)], ("10.85.0.9", null, true)))
            .Add(Service("plain", "10.96.1.2", (null, "TCP", 80)))
            .Add(Service("db", "None", ("sql", "TCP", 5432)), Slice(
                "db", [("sql", "TCP", 5433)], ("10.85.0.2", "db-0", true), ("10.85.0.3", "db-1", null), ("10.85.0.4", "db-2", false), ("10.85.0.5", null, true)))
            .Add(Service("noports", "None"), Slice("noports", [], ("10.85.0.7", null, true)))
            .Add(Service("empty", "None", ("sql", "TCP", 5432)), Slice("empty", [("sql", "TCP", 5432)], ("10.85.0.8", "x", false)))
            .Add(Service("six", "None"), Slice("six", [], ("fd00::1", "s", true)))
            .Add(External("inside", "web.shop.svc.cluster.local"))
            .Add(External("outside", "www.example.com"))
            .Add(External("ring-a", "ring-b.shop.svc.cluster.local"))
            .Add(External("ring-b", "ring-a.shop.svc.cluster.local"));
    }

    private static Zone Add(this Zone zone, V1Service service, params V1EndpointSlice[] slices) =>
        zone.With(service.Metadata.NamespaceProperty, service.Metadata.Name, ServiceEntry.Of(service, slices));
}
