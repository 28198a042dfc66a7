using k8s.Models;

namespace Podhost.Control.Scheduler.Model;

/// <summary>All nodes with their pods at one moment. Immutable; <see cref="ClusterCache"/> makes them.</summary>
internal sealed class ClusterView
{
    private static readonly PodView[] NoPods = [];

    private Whereabouts<PodTraits>? _traits;
    private Whereabouts<PodTermSet>? _terms;

    public ClusterView(
        NodeView[] nodes,
        IReadOnlyDictionary<string, IDictionary<string, string>> namespaces,
        IReadOnlyDictionary<string, PodView[]> nominated,
        ServiceSelectors services,
        StorageView? storage = null)
    {
        Nodes = nodes;
        NamespaceLabels = namespaces;
        Nominated = nominated;
        Services = services;
        Storage = storage ?? StorageView.Empty;
    }

    /// <summary>By name.</summary>
    public NodeView[] Nodes { get; }

    /// <summary>Labels of each namespace, for the namespace selectors of pod affinity.</summary>
    public IReadOnlyDictionary<string, IDictionary<string, string>> NamespaceLabels { get; }

    /// <summary>Pods that wait until the pods that they preempted have left a node, by that node.</summary>
    public IReadOnlyDictionary<string, PodView[]> Nominated { get; }

    /// <summary>What the Services select.</summary>
    public ServiceSelectors Services { get; }

    /// <summary>Claims and volumes; left empty for a pod that uses none.</summary>
    public StorageView Storage { get; }

    /// <summary>Where there are pods, by what selectors see of them. Found when it is first asked for.</summary>
    public Whereabouts<PodTraits> Traits => _traits ??= Whereabouts<PodTraits>.Of(Nodes, n => n.Traits);

    /// <summary>Where there are pods that have affinity or anti-affinity to pods, by it. Found when it is first asked for.</summary>
    public Whereabouts<PodTermSet> Terms => _terms ??= Whereabouts<PodTermSet>.Of(Nodes, n => n.Terms);

    public PodView[] NominatedOn(string node) => Nominated.Count > 0 ? Nominated.GetValueOrDefault(node) ?? NoPods : NoPods;

    /// <summary>The same with another version of one of its nodes.</summary>
    public ClusterView With(NodeView node)
    {
        var nodes = Nodes.ToArray();
        var at = IndexOf(node.Name);
        nodes[at] = node;
        return new ClusterView(nodes, NamespaceLabels, Nominated, Services, Storage).After(this, [at]);
    }

    /// <summary>Carries on what a view of the same nodes had found already. To be called before anybody else has this view.</summary>
    /// <param name="before">That view.</param>
    /// <param name="changed">The places of the nodes that are others than there.</param>
    public ClusterView After(ClusterView before, IReadOnlyList<int> changed)
    {
        (_traits, _terms) = (before._traits, before._terms);
        foreach (var at in changed)
        {
            _traits = _traits?.With(at, before.Nodes[at].Traits, Nodes[at].Traits);
            _terms = _terms?.With(at, before.Nodes[at].Terms, Nodes[at].Terms);
        }

        return this;
    }

    /// <summary>The same with claims and volumes.</summary>
    public ClusterView With(StorageView storage) => new ClusterView(Nodes, NamespaceLabels, Nominated, Services, storage).After(this, []);

    public NodeView? Find(string name) => IndexOf(name) is >= 0 and var at ? Nodes[at] : null;

    /// <summary>Where a node is among <see cref="Nodes"/>; negative where it is not.</summary>
    public int IndexOf(string name) => Nodes.BinarySearch(name);

    /// <summary>Builds it from all objects at once.</summary>
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
            [.. nodes.OrderBy(n => n.Metadata.Name, StringComparer.Ordinal).Select(n => new NodeView(n, byNode[n.Metadata.Name]))],
            namespaces.ToDictionary(n => n.Metadata.Name, n => n.Metadata.Labels ?? new Dictionary<string, string>()),
            new Dictionary<string, PodView[]>(),
            ServiceSelectors.None,
            storage);
    }
}

/// <summary>Finds nodes in their order.</summary>
internal static class NodeOrder
{
    public static int BinarySearch(this NodeView[] nodes, string name)
    {
        var (low, high) = (0, nodes.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var order = string.CompareOrdinal(nodes[middle].Name, name);
            if (order == 0)
            {
                return middle;
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return -1;
    }
}
