using Podhost.Control.Controllers.PersistentVolumes;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>Volumes are reached from the node: those that claims are bound to, and one for each claim that still waits for a pod.</summary>
internal sealed class VolumeFilter : INodeFilter
{
    public IEnumerable<string> Reject(PodView pod, NodeView node, ClusterView cluster)
    {
        foreach (var claim in cluster.Storage.ClaimsOf(pod))
        {
            if (StorageView.IsBound(claim))
            {
                if (cluster.Storage.Volume(claim.Spec.VolumeName) is not { } volume || !VolumeNodes.Reaches(volume, node.Node))
                {
                    return ["node(s) didn't match PersistentVolume's node affinity"];
                }
            }
            else if (BindingRules.Find(claim, cluster.Storage.Volumes, node.Node) is null)
            {
                return ["node(s) didn't find available persistent volumes to bind"];
            }
        }

        return [];
    }
}
