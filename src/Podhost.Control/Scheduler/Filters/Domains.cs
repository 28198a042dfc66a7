using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>Numbers by topology key and domain. For one decision; not thread-safe.</summary>
internal sealed class Domains
{
    private readonly Dictionary<string, Dictionary<string, long>> _byKey = new(StringComparer.Ordinal);

    public bool IsEmpty => _byKey.Count == 0;

    /// <summary>Adds to the domain of a node, where it has the label.</summary>
    public void Add(NodeView node, string key, long amount)
    {
        if (node.Label(key) is not { } domain)
        {
            return;
        }

        if (!_byKey.TryGetValue(key, out var domains))
        {
            _byKey.Add(key, domains = new Dictionary<string, long>(StringComparer.Ordinal));
        }

        domains[domain] = domains.GetValueOrDefault(domain) + amount;
    }

    /// <summary>True where something was added to the node's domain.</summary>
    public bool Has(NodeView node, string key) => _byKey.TryGetValue(key, out var domains) && node.Label(key) is { } domain && domains.ContainsKey(domain);

    /// <summary>True where something was added to any domain of the node.</summary>
    public bool HasAny(NodeView node)
    {
        foreach (var key in _byKey.Keys)
        {
            if (Has(node, key))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The sum over all domains of the node.</summary>
    public long Sum(NodeView node)
    {
        var sum = 0L;
        foreach (var (key, domains) in _byKey)
        {
            sum += node.Label(key) is { } domain ? domains.GetValueOrDefault(domain) : 0;
        }

        return sum;
    }
}
