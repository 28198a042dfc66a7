namespace Podhost.Control.Scheduler.Model;

/// <summary>The outcome of one try to place a pod.</summary>
/// <param name="NodeName">Where it goes, or null where it fits nowhere.</param>
/// <param name="Message">Why it fits nowhere, as upstream prints it: <c>0/1 nodes are available: 1 Insufficient memory.</c></param>
internal sealed record SchedulingResult(string? NodeName, string Message)
{
    public static SchedulingResult Fits(string node) => new(node, "");

    public static SchedulingResult Unschedulable(string message) => new(null, message);
}
