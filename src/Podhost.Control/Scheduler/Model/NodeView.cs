using k8s.Models;
using Podhost.Api.Pods;

namespace Podhost.Control.Scheduler.Model;

/// <summary>A node with the pods that are on it or on their way to it, as filters and scores see it. Immutable.</summary>
internal sealed class NodeView
{
    public NodeView(V1Node node, IReadOnlyList<PodView> pods)
    {
        Node = node;
        Pods = pods;
        Allocatable = Quantities.ToAmounts(node.Status?.Allocatable ?? node.Status?.Capacity);
        var requested = new Dictionary<string, decimal>(StringComparer.Ordinal);
        foreach (var pod in pods)
        {
            Quantities.Add(requested, pod.Requests);
        }

        Requested = requested;
    }

    public V1Node Node { get; }

    public string Name => Node.Metadata.Name;

    public IReadOnlyList<PodView> Pods { get; }

    /// <summary>What pods may use (units: cores, bytes, pieces).</summary>
    public IReadOnlyDictionary<string, decimal> Allocatable { get; }

    /// <summary>What the pods on the node ask for.</summary>
    public IReadOnlyDictionary<string, decimal> Requested { get; }

    public IReadOnlyList<V1Taint> Taints => Node.Spec?.Taints is { } taints ? [.. taints] : [];

    public string? Label(string key) => Node.Metadata.Labels is { } labels && labels.TryGetValue(key, out var value) ? value : null;
}
