using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Scores;

/// <summary>Ranks the nodes that passed all filters. Pure.</summary>
internal interface INodeScore
{
    /// <summary>How much it counts beside the others; upstream's default weights.</summary>
    int Weight { get; }

    /// <summary>0 (worst) to 100 (best) for each node, in their order; null where it has no preference.</summary>
    long[]? Score(PodCycle cycle, IReadOnlyList<NodeView> nodes);
}
