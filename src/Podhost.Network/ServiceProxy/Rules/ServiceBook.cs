using k8s.Models;
using Podhost.Client.Informers;
using Podhost.Network.ServiceProxy.Model;

namespace Podhost.Network.ServiceProxy.Rules;

/// <summary>
/// Services and slices as they are, and the rules that they ask for. What it says depends only on what is in it, never on the order in which
/// it came. Takes a Service's rules from memory where neither it nor a slice of its changed. Not for use by two threads at once.
/// </summary>
/// <param name="node">The node.</param>
internal sealed class ServiceBook(NodeFacts node)
{
    private readonly RulesetPart _base = BaseRules.Of(node);
    private readonly Dictionary<ObjectKey, V1Service> _services = [];
    private readonly Dictionary<ObjectKey, Dictionary<string, V1EndpointSlice>> _slices = [];
    private readonly Dictionary<ObjectKey, RulesetPart> _parts = [];

    /// <summary>Puts a Service.</summary>
    public void Put(V1Service service)
    {
        var key = ObjectKey.Of(service);
        _services[key] = service;
        _parts.Remove(key);
    }

    /// <summary>Removes a Service.</summary>
    public void Remove(V1Service service)
    {
        var key = ObjectKey.Of(service);
        _services.Remove(key);
        _parts.Remove(key);
    }

    /// <summary>Puts a slice in the place of what it was.</summary>
    /// <param name="slice">The slice.</param>
    /// <param name="previous">What it was: it may have been another Service's; null for a new one.</param>
    public void Put(V1EndpointSlice slice, V1EndpointSlice? previous)
    {
        if (previous is not null)
        {
            Remove(previous);
        }

        if (KeyOf(slice) is { } key)
        {
            if (!_slices.TryGetValue(key, out var slices))
            {
                _slices[key] = slices = new(StringComparer.Ordinal);
            }

            slices[slice.Metadata.Name] = slice;
            _parts.Remove(key);
        }
    }

    /// <summary>Removes a slice.</summary>
    public void Remove(V1EndpointSlice slice)
    {
        if (KeyOf(slice) is { } key && _slices.TryGetValue(key, out var slices) && slices.Remove(slice.Metadata.Name))
        {
            _parts.Remove(key);
            if (slices.Count == 0)
            {
                _slices.Remove(key);
            }
        }
    }

    /// <summary>The whole table. Of two Services that want one address and port the older has it.</summary>
    public Ruleset Rules()
    {
        var ruleset = new Ruleset();
        ruleset.Add(_base);
        foreach (var part in Parts())
        {
            ruleset.Add(part);
        }

        return ruleset;
    }

    /// <summary>All that takes UDP, with those who may serve it.</summary>
    public IReadOnlyDictionary<(string? Address, int Port), string> Udp()
    {
        var frontends = new Dictionary<(string?, int), string>();
        foreach (var frontend in Parts().SelectMany(p => p.Udp))
        {
            frontends.TryAdd((frontend.Address, frontend.Port), frontend.Targets);
        }

        return frontends;
    }

    private IEnumerable<RulesetPart> Parts() => _services
        .OrderBy(s => s.Value.Metadata.CreationTimestamp ?? DateTime.MinValue)
        .ThenBy(s => s.Key.Namespace, StringComparer.Ordinal)
        .ThenBy(s => s.Key.Name, StringComparer.Ordinal)
        .Select(s => PartOf(s.Key, s.Value));

    private RulesetPart PartOf(ObjectKey key, V1Service service)
    {
        if (!_parts.TryGetValue(key, out var part))
        {
            _parts[key] = part = new RulesetPart();
            var slices = _slices.GetValueOrDefault(key)?.Values.ToList() ?? [];
            foreach (var port in ServicePort.Of(service, node.Family))
            {
                PortRules.Add(part, port, ServiceEndpoint.Of(port, slices, node), node);
            }
        }

        return part;
    }

    private ObjectKey? KeyOf(V1EndpointSlice slice) =>
        ServiceEndpoint.ServiceOf(slice, node.Family) is { } name ? new ObjectKey(slice.Metadata.NamespaceProperty, name) : null;
}
