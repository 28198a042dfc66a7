using k8s.Models;
using Podhost.Api.Storage;
using Podhost.Control.Scheduler.Filters;

namespace Podhost.Control.Scheduler.Model;

/// <summary>One pod before one view of the cluster, with what its filters count over all nodes: counted once, and only where the pod needs it.</summary>
internal sealed class PodCycle(PodView pod, ClusterView cluster)
{
    private V1PersistentVolumeClaim[]? _claims;
    private bool? _awaitsClaim;
    private SpreadCounts[]? _spread;
    private AffinityCounts? _affinity;

    public PodView Pod { get; } = pod;

    public ClusterView Cluster { get; } = cluster;

    /// <summary>The only nodes that its required node affinity names; null where it names none.</summary>
    public IReadOnlySet<string>? NamedNodes { get; } = NamedNodesFilter.Of(pod.Spec);

    /// <summary>The claims of the pod's volumes that are there.</summary>
    public V1PersistentVolumeClaim[] Claims => _claims ??= [.. Cluster.Storage.ClaimsOf(Pod)];

    /// <summary>True where a claim of the pod that is for one pod at a time is in use by another pod on a node.</summary>
    public bool AwaitsClaim => _awaitsClaim ??= FindAwaited();

    /// <summary>The pod's hard spread constraints.</summary>
    public SpreadCounts[] Spread => _spread ??= SpreadCounts.Hard(Pod, Cluster);

    /// <summary>Pods that the pod's required terms mean, and nodes that other pods forbid it.</summary>
    public AffinityCounts Affinity => _affinity ??= AffinityCounts.Of(Pod, Cluster);

    private bool FindAwaited()
    {
        var exclusive = Claims.Where(c => c.Spec.AccessModes?.Contains("ReadWriteOncePod") == true).Select(c => c.Metadata.Name).ToHashSet(StringComparer.Ordinal);
        return exclusive.Count > 0
            && Cluster.Nodes.Any(n => n.Pods.Any(p => p.Namespace == Pod.Namespace && p.Uid != Pod.Uid && PodClaims.Of(p.Pod).Any(exclusive.Contains)));
    }
}
