using k8s.Models;
using Podhost.Control.Scheduler.Filters;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Controllers.PersistentVolumes;

/// <summary>From which nodes a volume is reached.</summary>
internal static class VolumeNodes
{
    public static bool Reaches(V1PersistentVolume volume, V1Node node) =>
        volume.Spec.NodeAffinity?.Required is not { } required || (required.NodeSelectorTerms ?? []).Any(t => NodeSelectorTerms.Matches(t, new NodeView(node, [])));
}
