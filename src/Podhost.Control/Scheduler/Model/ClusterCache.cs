using Podhost.Control.Objects;
using k8s.Models;

namespace Podhost.Control.Scheduler.Model;

/// <summary>
/// The state behind <see cref="ClusterView"/>, kept by events: one event makes at most one node's view anew, and a view shares all others
/// with the one before it. Not thread-safe.
/// </summary>
internal sealed class ClusterCache
{
    private readonly Dictionary<string, NodeView> _nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Placed> _pods = [];
    private readonly Dictionary<string, Dictionary<string, PodView>> _byNode = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (PodView Pod, string Node)> _nominated = [];
    private readonly HashSet<string> _stale = [];
    private readonly HashSet<string> _changed = [];
    private readonly SharedValues _shared = new();
    private Dictionary<string, IDictionary<string, string>> _namespaces = [];
    private ServiceSelectors _services = ServiceSelectors.None;
    private IReadOnlyDictionary<string, PodView[]>? _nominatedByNode;
    private NodeView[]? _ordered;
    private ClusterView? _view;
    private ClusterView? _last;

    /// <summary>The node that a pod is on or was sent to, or null.</summary>
    public string? NodeOf(string uid) => _pods.TryGetValue(uid, out var placed) ? placed.Node : null;

    /// <summary>True for a pod whose binding was sent and is not seen yet.</summary>
    public bool IsAssumed(string uid) => _pods.TryGetValue(uid, out var placed) && placed.Assumed;

    /// <summary>A pod as the views see it.</summary>
    public PodView See(V1Pod pod) => new(pod, _shared);

    public void PutNode(V1Node node)
    {
        var name = node.Metadata.Name;
        var isNew = !_nodes.TryGetValue(name, out var known);
        _ordered = isNew ? null : _ordered;
        Set(name, isNew || _stale.Contains(name) ? new NodeView(node, PodsOn(name)) : known!.With(node));
        _stale.Remove(name);
    }

    public void RemoveNode(string name)
    {
        _nodes.Remove(name);
        _stale.Remove(name);
        _ordered = null;
        _view = null;
    }

    /// <summary>A pod that has a node, or a newer version of it; one that ended takes no place.</summary>
    public void PutPod(V1Pod pod)
    {
        if (PodStates.IsFinished(pod))
        {
            RemovePod(pod.Metadata.Uid);
            return;
        }

        Place(See(pod), pod.Spec.NodeName, assumed: false);
    }

    /// <summary>A pod was sent to a node: it takes its place from now on.</summary>
    public void Assume(PodView pod, string node) => Place(pod, node, assumed: true);

    public void RemovePod(string uid)
    {
        if (_pods.Remove(uid, out var placed))
        {
            _byNode[placed.Node].Remove(uid);
            if (_byNode[placed.Node].Count == 0)
            {
                _byNode.Remove(placed.Node);
            }

            Touch(placed.Node);
        }
    }

    /// <summary>A pod waits for the pods that it preempted to leave a node; null ends that.</summary>
    public void Nominate(PodView pod, string? node)
    {
        if (string.IsNullOrEmpty(node) ? !_nominated.Remove(pod.Uid) : _nominated.TryGetValue(pod.Uid, out var had) && had.Node == node && had.Pod.Pod == pod.Pod)
        {
            return;
        }

        if (!string.IsNullOrEmpty(node))
        {
            _nominated[pod.Uid] = (pod, node);
        }

        _nominatedByNode = null;
        _view = null;
    }

    public void Denominate(string uid)
    {
        if (_nominated.Remove(uid))
        {
            _nominatedByNode = null;
            _view = null;
        }
    }

    public string? NominatedNodeOf(string uid) => _nominated.TryGetValue(uid, out var nominated) ? nominated.Node : null;

    public void PutNamespace(V1Namespace ns) => SetNamespace(ns, present: true);

    public void RemoveNamespace(V1Namespace ns) => SetNamespace(ns, present: false);

    public void PutService(V1Service service) => SetServices(_services.With(service));

    public void RemoveService(V1Service service) => SetServices(_services.Without(service));

    /// <summary>The cluster as it is now; it never changes.</summary>
    public ClusterView View()
    {
        if (_view is not null)
        {
            return _view;
        }

        foreach (var name in _stale)
        {
            if (_nodes.TryGetValue(name, out var node))
            {
                Set(name, new NodeView(node.Node, PodsOn(name)));
            }
        }

        _stale.Clear();
        _nominatedByNode ??= _nominated.Values.GroupBy(n => n.Node).ToDictionary(g => g.Key, g => g.Select(n => n.Pod).ToArray());
        var (nodes, changed) = Ordered();
        _view = new ClusterView(nodes, _namespaces, _nominatedByNode, _services);
        if (changed is not null && _last is not null)
        {
            _view.After(_last, changed);
        }

        return _last = _view;
    }

    // Views keep the array that they were given: a new one is a copy with the nodes that changed. Null for these: other nodes than before.
    private (NodeView[] Nodes, IReadOnlyList<int>? Changed) Ordered()
    {
        List<int>? changed = null;
        if (_ordered is null)
        {
            _ordered = [.. _nodes.Values.OrderBy(n => n.Name, StringComparer.Ordinal)];
        }
        else
        {
            changed = new List<int>(_changed.Count);
            _ordered = _changed.Count > 0 ? _ordered.ToArray() : _ordered;
            foreach (var name in _changed)
            {
                var at = _ordered.BinarySearch(name);
                _ordered[at] = _nodes[name];
                changed.Add(at);
            }
        }

        _changed.Clear();
        return (_ordered, changed);
    }

    private void Set(string name, NodeView node)
    {
        _nodes[name] = node;
        _changed.Add(name);
        _view = null;
    }

    private void Place(PodView pod, string node, bool assumed)
    {
        if (_pods.TryGetValue(pod.Uid, out var before))
        {
            RemovePod(pod.Uid);
        }

        Denominate(pod.Uid);
        _pods[pod.Uid] = new Placed(node, assumed);
        (_byNode.TryGetValue(node, out var own) ? own : _byNode[node] = [])[pod.Uid] = pod;
        if (before is null && !_stale.Contains(node) && _nodes.TryGetValue(node, out var view))
        {
            Set(node, view.With(pod));
        }
        else
        {
            Touch(node);
        }
    }

    private void Touch(string node)
    {
        _stale.Add(node);
        _view = null;
    }

    private IEnumerable<PodView> PodsOn(string node) => _byNode.TryGetValue(node, out var pods) ? pods.Values : [];

    private void SetNamespace(V1Namespace ns, bool present)
    {
        // Views hold the old dictionary: it is replaced, not changed.
        var next = new Dictionary<string, IDictionary<string, string>>(_namespaces);
        next.Remove(ns.Metadata.Name);
        if (present)
        {
            next[ns.Metadata.Name] = ns.Metadata.Labels ?? new Dictionary<string, string>();
        }

        _namespaces = next;
        _view = null;
    }

    private void SetServices(ServiceSelectors services)
    {
        _services = services;
        _view = null;
    }

    private sealed record Placed(string Node, bool Assumed);
}
