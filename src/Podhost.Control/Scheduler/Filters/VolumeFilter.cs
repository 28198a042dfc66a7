using Podhost.Control.Controllers.PersistentVolumes;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>Volumes are reached from the node: those that claims are bound to, and one for each claim that still waits for a pod.</summary>
internal sealed class VolumeFilter : INodeFilter
{
    private static readonly Rejection Unreached = Rejection.Final("node(s) didn't match PersistentVolume's node affinity");
    private static readonly Rejection Nothing = Rejection.Final("node(s) didn't find available persistent volumes to bind");

    public ClusterChange Wakes => ClusterChange.NodeAdded | ClusterChange.NodeLabels | ClusterChange.Storage;

    public Rejection? Reject(PodCycle cycle, NodeView node)
    {
        var storage = cycle.Cluster.Storage;
        foreach (var claim in cycle.Claims)
        {
            if (StorageView.IsBound(claim))
            {
                if (storage.Volume(claim.Spec.VolumeName) is not { } volume || !VolumeNodes.Reaches(volume, node.Node))
                {
                    return Unreached;
                }
            }
            else if (BindingRules.Find(claim, storage.Volumes, node.Node) is null)
            {
                return Nothing;
            }
        }

        return null;
    }
}
