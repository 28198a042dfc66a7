using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Preemption;

/// <summary>Whether room can be made for a pod.</summary>
/// <param name="NodeName">Where, or null where nowhere.</param>
/// <param name="Victims">Who must leave.</param>
/// <param name="Message">Why nowhere, as upstream prints it after <c>preemption: </c>.</param>
/// <param name="EndsNomination">True where the pod has no claim to a node that it was nominated for earlier.</param>
internal sealed record PreemptionResult(string? NodeName, IReadOnlyList<PodView> Victims, string Message, bool EndsNomination = false)
{
    /// <summary>The pod may not preempt (now).</summary>
    public static PreemptionResult NotEligible(string message) => new(null, [], message);

    /// <summary>There is no node on which preempting would help.</summary>
    public static PreemptionResult Nowhere(string message) => new(null, [], message, EndsNomination: true);
}
