namespace Podhost.Control.Scheduler.Model;

/// <summary>The outcome of one try to place a pod.</summary>
/// <param name="NodeName">Where it goes, or null where it fits nowhere.</param>
/// <param name="Message">Why it fits nowhere, as upstream prints it: <c>0/1 nodes are available: 1 Insufficient memory.</c></param>
/// <param name="Rejections">Why each node was refused.</param>
/// <param name="Wakes">The changes of the cluster after which another try may end otherwise.</param>
/// <param name="Looked">How many nodes were looked at, from the one on that was asked to be the first.</param>
internal sealed record SchedulingResult(string? NodeName, string Message, IReadOnlyList<(NodeView Node, Rejection Why)> Rejections, ClusterChange Wakes, int Looked = 0)
{
    public static SchedulingResult Fits(string node, int looked = 0) => new(node, "", [], ClusterChange.None, looked);

    public static SchedulingResult Unschedulable(string message, ClusterChange wakes) => new(null, message, [], wakes);
}
