using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>A claim of access mode ReadWriteOncePod is one pod's at a time, wherever that runs. Source: upstream's VolumeRestrictions.</summary>
internal sealed class ExclusiveClaimFilter : INodeFilter
{
    private static readonly Rejection InUse = Rejection.ByPods("node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode");

    public ClusterChange Wakes => ClusterChange.PodGone | ClusterChange.Storage;

    public Rejection? Reject(PodCycle cycle, NodeView node) => cycle.AwaitsClaim ? InUse : null;
}
