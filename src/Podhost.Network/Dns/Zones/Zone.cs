using System.Collections.Immutable;
using System.Net;

namespace Podhost.Network.Dns.Zones;

/// <summary>All Services and namespaces as they are at a moment. Immutable: a change makes another zone, which shares what has not changed.</summary>
internal sealed class Zone
{
    private readonly ImmutableDictionary<string, ImmutableDictionary<string, ServiceEntry>> _services;
    private readonly ImmutableDictionary<IPAddress, ImmutableSortedSet<string>> _names;
    private readonly ImmutableHashSet<string> _namespaces;

    private Zone(
        uint serial,
        ImmutableDictionary<string, ImmutableDictionary<string, ServiceEntry>> services,
        ImmutableDictionary<IPAddress, ImmutableSortedSet<string>> names,
        ImmutableHashSet<string> namespaces) => (Serial, _services, _names, _namespaces) = (serial, services, names, namespaces);

    /// <summary>Grows with each change.</summary>
    public uint Serial { get; }

    /// <summary>A zone without Services.</summary>
    public static Zone Empty(uint serial) => new(
        serial,
        ImmutableDictionary<string, ImmutableDictionary<string, ServiceEntry>>.Empty,
        ImmutableDictionary<IPAddress, ImmutableSortedSet<string>>.Empty,
        []);

    /// <summary>The Service of a name.</summary>
    public ServiceEntry? Service(string ns, string name) =>
        _services.TryGetValue(ns, out var services) && services.TryGetValue(name, out var entry) && entry.Exists ? entry : null;

    /// <summary>There is a namespace of the name, or a Service in it.</summary>
    public bool HasNamespace(string ns) => _namespaces.Contains(ns) || _services.ContainsKey(ns);

    /// <summary>The names of an address, without <c>svc</c> and the domain: Services whose own it is, else endpoints with a hostname.</summary>
    public IEnumerable<string> NamesOf(IPAddress address)
    {
        var all = _names.GetValueOrDefault(address) ?? [];
        var services = all.Where(n => n.Count(c => c == '.') == 1).ToList();
        return services.Count > 0 ? services : all;
    }

    /// <summary>The zone after a Service came, changed or went (<paramref name="entry"/> null).</summary>
    public Zone With(string ns, string name, ServiceEntry? entry)
    {
        var services = _services.GetValueOrDefault(ns) ?? ImmutableDictionary<string, ServiceEntry>.Empty;
        var names = _names;
        if (services.TryGetValue(name, out var before))
        {
            foreach (var (address, text) in Reverse(before))
            {
                var rest = names[address].Remove(text);
                names = rest.IsEmpty ? names.Remove(address) : names.SetItem(address, rest);
            }
        }

        foreach (var (address, text) in entry is null ? [] : Reverse(entry))
        {
            names = names.SetItem(address, (names.GetValueOrDefault(address) ?? ImmutableSortedSet.Create<string>(StringComparer.Ordinal)).Add(text));
        }

        services = entry is null ? services.Remove(name) : services.SetItem(name, entry);
        return new Zone(Serial + 1, services.IsEmpty ? _services.Remove(ns) : _services.SetItem(ns, services), names, _namespaces);
    }

    /// <summary>The zone after a namespace came or went.</summary>
    public Zone With(string ns, bool exists) =>
        new(Serial + 1, _services, _names, exists ? _namespaces.Add(ns) : _namespaces.Remove(ns));

    private static IEnumerable<(IPAddress Address, string Name)> Reverse(ServiceEntry entry) =>
        entry.ClusterIPs.Select(a => (a, $"{entry.Name}.{entry.Namespace}"))
            .Concat(entry.Endpoints.Where(e => e.HasHostname).Select(e => (e.Address, $"{e.Label}.{entry.Name}.{entry.Namespace}")))
            .Distinct();
}
