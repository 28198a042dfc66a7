namespace Podhost.Control.Scheduler.Model;

/// <summary>Why a node was refused.</summary>
/// <param name="Reasons">As upstream prints them.</param>
/// <param name="PreemptionHelps">True where fewer pods on the node could change it.</param>
internal sealed record Rejection(IReadOnlyList<string> Reasons, bool PreemptionHelps)
{
    /// <summary>Nothing that preemption could change (upstream's UnschedulableAndUnresolvable).</summary>
    public static Rejection Final(string reason) => new([reason], PreemptionHelps: false);

    /// <summary>Fewer pods could help (upstream's Unschedulable).</summary>
    public static Rejection ByPods(string reason) => new([reason], PreemptionHelps: true);
}
