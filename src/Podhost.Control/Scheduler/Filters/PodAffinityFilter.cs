using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>Required affinity and anti-affinity between pods, also the anti-affinity of pods that are there already.</summary>
internal sealed class PodAffinityFilter : INodeFilter
{
    private static readonly Rejection NoCompany = Rejection.Final("node(s) didn't match pod affinity rules");
    private static readonly Rejection Avoided = Rejection.ByPods("node(s) didn't match pod anti-affinity rules");
    private static readonly Rejection Forbidden = Rejection.ByPods("node(s) didn't satisfy existing pods anti-affinity rules");

    public ClusterChange Wakes =>
        ClusterChange.NodeAdded | ClusterChange.NodeLabels | ClusterChange.PodGone | ClusterChange.PodPlaced | ClusterChange.Namespaces;

    public Rejection? Reject(PodCycle cycle, NodeView node)
    {
        var counts = cycle.Affinity;
        if (!counts.HasCompany(node))
        {
            return NoCompany;
        }

        if (counts.HasAvoided(node))
        {
            return Avoided;
        }

        return counts.IsForbidden(node) ? Forbidden : null;
    }
}
