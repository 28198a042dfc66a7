using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Preemption;

/// <summary>The order of pods that may be asked to leave: higher priority first, then the one that runs longer.</summary>
internal static class Importance
{
    public static IComparer<PodView> MostFirst { get; } = Comparer<PodView>.Create((a, b) =>
        a.Priority != b.Priority ? b.Priority.CompareTo(a.Priority)
        : StartOf(a) != StartOf(b) ? StartOf(a).CompareTo(StartOf(b))
        : string.CompareOrdinal(a.Uid, b.Uid));

    /// <summary>When it started; a pod that did not start yet counts as the youngest.</summary>
    public static DateTime StartOf(PodView pod) => pod.Pod.Status?.StartTime ?? DateTime.MaxValue;
}
