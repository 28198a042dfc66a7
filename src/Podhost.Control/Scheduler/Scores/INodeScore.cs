using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Scores;

/// <summary>Ranks a node that passed all filters. Pure.</summary>
internal interface INodeScore
{
    /// <summary>How much it counts beside the others; upstream's default weights.</summary>
    int Weight { get; }

    /// <summary>0 (worst) to 100 (best).</summary>
    double Score(PodView pod, NodeView node, ClusterView cluster);
}
