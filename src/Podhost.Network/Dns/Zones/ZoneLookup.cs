using System.Net;
using System.Net.Sockets;
using Podhost.Network.Dns.Wire;

namespace Podhost.Network.Dns.Zones;

/// <summary>What is at a name of ours.</summary>
/// <param name="Apex">The zone that the name is in, for the SOA record of a denial.</param>
/// <param name="Exists">The name exists, with these records or, as a part of longer names, without any.</param>
/// <param name="Records">All records of the name.</param>
/// <param name="Extra">Addresses of names in the records, for the additional section.</param>
internal sealed record ZoneNode(DnsName Apex, bool Exists, IReadOnlyList<DnsRecord> Records, IReadOnlyList<DnsRecord> Extra);

/// <summary>
/// The names of the Kubernetes DNS specification, version 1.1.0, in a snapshot. Pure. Where the specification leaves a choice it is made as CoreDNS
/// makes it: endpoints without a hostname are named by their address, and pods' names (of any address) are served.
/// </summary>
internal sealed class ZoneLookup
{
    private const string Version = "1.1.0";
    private const int WholeWeight = 100;
    private readonly ZoneOptions _options;
    private readonly string[] _domain;
    private readonly DnsName _apex;

    /// <summary>Looks up in zones with these options.</summary>
    public ZoneLookup(ZoneOptions options)
    {
        _options = options;
        _apex = DnsName.Parse(options.ClusterDomain) ?? throw new ArgumentException($"{options.ClusterDomain} is no domain", nameof(options));
        _domain = [.. _apex.Labels];
    }

    /// <summary>The SOA record for denials; the serial number is the snapshot's.</summary>
    public DnsRecord Authority(Zone zone, DnsName apex) => new(
        apex, DnsType.Soa, _options.Ttl, DnsData.Authority(Name("ns", "dns"), Name("hostmaster"), zone.Serial, 7200, 1800, 86400, _options.Ttl));

    /// <summary>What is at a name; null: the name is not ours, somebody else is to be asked.</summary>
    public ZoneNode? Find(Zone zone, DnsName name)
    {
        if (name.IsWithin(_domain, out var before))
        {
            return InDomain(zone, name, before);
        }

        IReadOnlyList<string> names = ReverseNames.AddressOf(name) is { } address ? [.. zone.NamesOf(address)] : [];
        if (names.Count > 0)
        {
            var apex = _options.OwnRanges.Select(r => ReverseNames.ZoneOf(name, r)).FirstOrDefault(z => z is not null) ?? name;
            return new ZoneNode(apex, true, [.. names.Select(n => Record(name, DnsType.Ptr, DnsData.Of(Name([.. n.Split('.'), "svc"]))))], []);
        }

        foreach (var range in _options.OwnRanges)
        {
            if (ReverseNames.ZoneOf(name, range) is { } apex)
            {
                // A part of an address is above names that may exist.
                var exists = ReverseNames.AddressOf(name) is null;
                return new ZoneNode(apex, exists, name.Equals(apex) ? [Authority(zone, apex)] : [], []);
            }
        }

        return null;
    }

    private ZoneNode InDomain(Zone zone, DnsName name, string[] before) => before switch
    {
        [] => Found([Authority(zone, _apex), Record(name, DnsType.NS, DnsData.Of(Name("ns", "dns")))]),
        ["dns-version"] => Found([Record(name, DnsType.Txt, DnsData.Text(Version))]),
        ["dns"] or ["svc"] or ["pod"] => Found([]),
        ["ns", "dns"] => Found([.. _options.ServerAddresses.Select(a => Address(name, a))]),
        [var ns, "svc" or "pod"] when zone.HasNamespace(ns) => Found([]),
        [var pod, var ns, "pod"] when zone.HasNamespace(ns) && ReverseNames.Undash(pod) is { } address => Found([Address(name, address)]),
        [.. var below, var service, var ns, "svc"] when zone.Service(ns, service) is { } entry => InService(entry, name, below),
        _ => Missing(),
    };

    private ZoneNode InService(ServiceEntry entry, DnsName name, string[] below)
    {
        if (entry.External is { } external)
        {
            return below.Length == 0 ? Found([Record(name, DnsType.CName, DnsData.Of(external))]) : Missing();
        }

        return below switch
        {
            [] => AtService(entry, name),
            [['_', .. var protocol]] when Services(entry, p => p.Name.Length > 0 && p.Protocol == protocol).Count > 0 => Found([]),
            [['_', .. var port], ['_', .. var protocol]] => Ports(entry, name, p => p.Name.Length > 0 && p.Name == port && p.Protocol == protocol),
            [var endpoint] => AtEndpoint(entry, name, endpoint),
            _ => Missing(),
        };
    }

    private ZoneNode AtService(ServiceEntry entry, DnsName name)
    {
        var addresses = entry.IsHeadless ? entry.Endpoints.Select(e => e.Address).Distinct() : entry.ClusterIPs;
        var ports = Ports(entry, name, _ => true);
        return Found([.. addresses.Select(a => Address(name, a)), .. ports.Records], ports.Extra);
    }

    private ZoneNode AtEndpoint(ServiceEntry entry, DnsName name, string label)
    {
        var endpoints = entry.Endpoints.Where(e => e.Label == label).ToList();
        return endpoints.Count == 0 ? Missing() : Found([.. endpoints.Select(e => Address(name, e.Address)).Distinct()]);
    }

    private ZoneNode Ports(ServiceEntry entry, DnsName name, Func<PortEntry, bool> wanted)
    {
        var found = Services(entry, wanted);
        if (found.Count == 0)
        {
            return Missing();
        }

        var weight = Math.Max(1, WholeWeight / found.Count);
        var extra = entry.IsHeadless
            ? entry.Endpoints.Where(e => e.Ports.Any(wanted)).Select(e => Address(Target(entry, e.Label), e.Address))
            : entry.ClusterIPs.Select(a => Address(Target(entry), a));
        return Found([.. found.Select(f => Record(name, DnsType.Srv, DnsData.Service(0, weight, f.Port, f.Target)))], [.. extra]);
    }

    private List<(int Port, DnsName Target)> Services(ServiceEntry entry, Func<PortEntry, bool> wanted) =>
    [
        .. (entry.IsHeadless
            ? entry.Endpoints.SelectMany(e => e.Ports.Where(wanted).Select(p => (p.Number, Target(entry, e.Label))))
            : entry.Ports.Where(wanted).Select(p => (p.Number, Target(entry)))).Distinct(),
    ];

    private DnsName Target(ServiceEntry entry, params string[] below) => Name([.. below, entry.Name, entry.Namespace, "svc"]);

    // Names of objects are labels: only with a hostname and a domain that are very long together would a name be too long.
    private DnsName Name(params string[] labels) => DnsName.FromLabels([.. labels, .. _domain]) ?? _apex;

    private DnsRecord Record(DnsName name, DnsType type, DnsData data) => new(name, type, _options.Ttl, data);

    private DnsRecord Address(DnsName name, IPAddress address) =>
        Record(name, address.AddressFamily == AddressFamily.InterNetwork ? DnsType.A : DnsType.Aaaa, DnsData.Of(address));

    private ZoneNode Found(IReadOnlyList<DnsRecord> records, IReadOnlyList<DnsRecord>? extra = null) => new(_apex, true, records, extra ?? []);

    private ZoneNode Missing() => new(_apex, false, [], []);
}
