using k8s.Models;
using Podhost.Api.Pods;

namespace Podhost.Control.Scheduler.Model;

/// <summary>A node with the pods that are on it or on their way to it, and sums over them, as filters and scores see it. Immutable.</summary>
internal sealed class NodeView
{
    private readonly NodeFacts _facts;

    public NodeView(V1Node node, IEnumerable<PodView> pods) : this(new NodeFacts(node), [.. pods])
    {
    }

    private NodeView(NodeFacts facts, PodView[] pods)
    {
        _facts = facts;
        Pods = pods;
        var requested = new Dictionary<string, decimal>(StringComparer.Ordinal);
        foreach (var pod in pods)
        {
            Quantities.Add(requested, pod.Requests);
            Asked += pod.Asked;
            Scored += pod.Scored;
        }

        Requested = requested;
        Traits = Tally<PodTraits>.Of(pods.Select(p => p.Traits));
        Terms = Tally<PodTermSet>.Of(pods.Where(p => !p.Terms.IsEmpty).Select(p => p.Terms));
        WithPorts = Array.FindAll(pods, p => p.HostPorts.Count > 0);
    }

    // One pod more: sums are carried on, not made anew.
    private NodeView(NodeView before, PodView pod)
    {
        _facts = before._facts;
        Pods = [.. before.Pods, pod];
        var requested = new Dictionary<string, decimal>(before.Requested, StringComparer.Ordinal);
        Quantities.Add(requested, pod.Requests);
        Requested = requested;
        Asked = before.Asked + pod.Asked;
        Scored = before.Scored + pod.Scored;
        Traits = before.Traits.With(pod.Traits);
        Terms = pod.Terms.IsEmpty ? before.Terms : before.Terms.With(pod.Terms);
        WithPorts = pod.HostPorts.Count > 0 ? [.. before.WithPorts, pod] : before.WithPorts;
    }

    // Another version of the node's object.
    private NodeView(NodeView before, NodeFacts facts)
    {
        _facts = facts;
        Pods = before.Pods;
        Requested = before.Requested;
        Asked = before.Asked;
        Scored = before.Scored;
        Traits = before.Traits;
        Terms = before.Terms;
        WithPorts = before.WithPorts;
    }

    public V1Node Node => _facts.Node;

    public string Name => _facts.Name;

    public PodView[] Pods { get; }

    /// <summary>The pods by what selectors see of them.</summary>
    public Tally<PodTraits> Traits { get; }

    /// <summary>Those of the pods that have affinity or anti-affinity to pods, by it.</summary>
    public Tally<PodTermSet> Terms { get; }

    /// <summary>Those of the pods that have host ports.</summary>
    public PodView[] WithPorts { get; }

    /// <summary>What pods may use (units: cores, bytes, pieces).</summary>
    public IReadOnlyDictionary<string, decimal> Allocatable => _facts.Allocatable;

    /// <summary>What the pods on the node ask for.</summary>
    public IReadOnlyDictionary<string, decimal> Requested { get; }

    /// <summary>The cpu and memory that pods may use.</summary>
    public CpuAndMemory Most => _facts.Most;

    /// <summary>How many pods may be here.</summary>
    public long MostPods => _facts.MostPods;

    /// <summary>The cpu and memory that the pods ask for.</summary>
    public CpuAndMemory Asked { get; }

    /// <summary>What the pods count as where nodes are compared.</summary>
    public CpuAndMemory Scored { get; }

    /// <summary>True where it is cordoned.</summary>
    public bool IsUnschedulable => _facts.IsUnschedulable;

    public V1Taint[] Taints => _facts.Taints;

    /// <summary>Bytes of the images on the node, by each of their names.</summary>
    public IReadOnlyDictionary<string, long> Images => _facts.Images;

    public string? Label(string key) => Node.Metadata.Labels is { } labels && labels.TryGetValue(key, out var value) ? value : null;

    public NodeView With(PodView pod) => new(this, pod);

    public NodeView With(V1Node node) => new(this, new NodeFacts(node));

    /// <summary>Without the pods of these uids.</summary>
    public NodeView Without(IReadOnlySet<string> uids) => new(_facts, Array.FindAll(Pods, p => !uids.Contains(p.Uid)));
}
