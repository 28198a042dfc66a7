using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>topologySpreadConstraints with whenUnsatisfiable DoNotSchedule: no domain may hold maxSkew more matching pods than the emptiest one.</summary>
internal sealed class TopologySpreadFilter : INodeFilter
{
    private static readonly Rejection NoLabel = Rejection.Final("node(s) didn't match pod topology spread constraints (missing required label)");
    private static readonly Rejection Skewed = Rejection.ByPods("node(s) didn't match pod topology spread constraints");

    public ClusterChange Wakes =>
        ClusterChange.NodeAdded | ClusterChange.NodeRemoved | ClusterChange.NodeLabels | ClusterChange.NodeTaints
        | ClusterChange.PodGone | ClusterChange.PodLeaving | ClusterChange.PodPlaced;

    public Rejection? Reject(PodCycle cycle, NodeView node)
    {
        foreach (var counts in cycle.Spread)
        {
            if (node.Label(counts.Constraint.TopologyKey) is not { } domain)
            {
                return NoLabel;
            }

            if (counts.Skew(domain) > counts.Constraint.MaxSkew)
            {
                return Skewed;
            }
        }

        return null;
    }
}
