using k8s.Models;

namespace Podhost.Control.Scheduler.Model;

/// <summary>All nodes with their pods at one moment. Immutable.</summary>
internal sealed class ClusterView
{
    private ClusterView(IReadOnlyList<NodeView> nodes, IReadOnlyDictionary<string, IDictionary<string, string>> namespaces, StorageView storage)
    {
        Nodes = nodes;
        Storage = storage;
        NamespaceLabels = namespaces;
    }

    public IReadOnlyList<NodeView> Nodes { get; }

    /// <summary>Labels of each namespace, for the namespace selectors of pod affinity.</summary>
    public IReadOnlyDictionary<string, IDictionary<string, string>> NamespaceLabels { get; }

    /// <summary>Claims and volumes.</summary>
    public StorageView Storage { get; }

    /// <summary>Builds it from the informers' copies and the pods that were bound but are not seen bound yet.</summary>
    /// <param name="nodes">All nodes.</param>
    /// <param name="pods">All pods.</param>
    /// <param name="assumed">Node by uid of pods whose binding was sent.</param>
    /// <param name="namespaces">All namespaces.</param>
    /// <param name="storage">Claims and volumes; null for none.</param>
    public static ClusterView Build(
        IEnumerable<V1Node> nodes, IEnumerable<PodView> pods, IReadOnlyDictionary<string, string> assumed, IEnumerable<V1Namespace> namespaces, StorageView? storage = null)
    {
        var byNode = pods
            .Where(p => !p.IsFinished)
            .Select(p => (Pod: p, Node: string.IsNullOrEmpty(p.Spec.NodeName) ? assumed.GetValueOrDefault(p.Uid) : p.Spec.NodeName))
            .Where(x => x.Node is not null)
            .ToLookup(x => x.Node!, x => x.Pod);
        return new ClusterView(
            [.. nodes.OrderBy(n => n.Metadata.Name, StringComparer.Ordinal).Select(n => new NodeView(n, [.. byNode[n.Metadata.Name]]))],
            namespaces.ToDictionary(n => n.Metadata.Name, n => n.Metadata.Labels ?? new Dictionary<string, string>()),
            storage ?? StorageView.Empty);
    }
}
