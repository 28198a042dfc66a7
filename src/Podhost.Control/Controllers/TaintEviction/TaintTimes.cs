using k8s.Models;

namespace Podhost.Control.Controllers.TaintEviction;

/// <summary>Since when nodes have the NoExecute taints that do not say so themselves: since this process saw them first. Thread-safe.</summary>
internal sealed class TaintTimes
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Dictionary<(string Key, string Value), DateTimeOffset>> _byNode = new(StringComparer.Ordinal);

    /// <summary>A node as it is now; taints that it no longer has are forgotten.</summary>
    public void See(V1Node node, DateTimeOffset now)
    {
        lock (_gate)
        {
            var before = _byNode.GetValueOrDefault(node.Metadata.Name) ?? [];
            var taints = (node.Spec?.Taints ?? []).Where(t => t.Effect == "NoExecute" && t.TimeAdded is null).Select(NameOf).Distinct();
            _byNode[node.Metadata.Name] = taints.ToDictionary(t => t, t => before.TryGetValue(t, out var since) ? since : now);
            if (_byNode[node.Metadata.Name].Count == 0)
            {
                _byNode.Remove(node.Metadata.Name);
            }
        }
    }

    /// <summary>A node that is gone.</summary>
    public void Forget(string node)
    {
        lock (_gate)
        {
            _byNode.Remove(node);
        }
    }

    /// <summary>Since when a node has a taint.</summary>
    public DateTimeOffset Since(string node, V1Taint taint, DateTimeOffset now)
    {
        if (taint.TimeAdded is { } added)
        {
            return new DateTimeOffset(DateTime.SpecifyKind(added, DateTimeKind.Utc));
        }

        lock (_gate)
        {
            return _byNode.TryGetValue(node, out var taints) && taints.TryGetValue(NameOf(taint), out var since) ? since : now;
        }
    }

    private static (string Key, string Value) NameOf(V1Taint taint) => (taint.Key, taint.Value ?? "");
}
