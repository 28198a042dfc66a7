using Podhost.Control.Scheduler.Filters;

namespace Podhost.Control.Scheduler.Model;

/// <summary>One pod before one view of the cluster, with what its filters count over all nodes: counted once, and only where the pod needs it.</summary>
internal sealed class PodCycle(PodView pod, ClusterView cluster)
{
    private IReadOnlyList<SpreadCounts>? _spread;
    private AffinityCounts? _affinity;

    public PodView Pod { get; } = pod;

    public ClusterView Cluster { get; } = cluster;

    /// <summary>The pod's hard spread constraints.</summary>
    public IReadOnlyList<SpreadCounts> Spread => _spread ??= SpreadCounts.Hard(Pod, Cluster);

    /// <summary>Pods that the pod's required terms mean, and nodes that other pods forbid it.</summary>
    public AffinityCounts Affinity => _affinity ??= AffinityCounts.Of(Pod, Cluster);
}
