using k8s.Models;

namespace Podhost.Control.Objects;

/// <summary>What a pod is to scheduler and controllers. Pure.</summary>
internal static class PodStates
{
    public static bool IsFinished(V1Pod pod) => pod.Status?.Phase is "Succeeded" or "Failed";

    /// <summary>Neither finished nor on its way out.</summary>
    public static bool IsActive(V1Pod pod) => !IsFinished(pod) && pod.Metadata.DeletionTimestamp is null;

    public static bool IsReady(V1Pod pod) => ReadyCondition(pod)?.Status == "True";

    /// <summary>Ready for at least so long. Where it is only a question of time, the time that is left.</summary>
    public static bool IsAvailable(V1Pod pod, int minReadySeconds, DateTimeOffset now, out TimeSpan left)
    {
        left = TimeSpan.Zero;
        if (ReadyCondition(pod) is not { Status: "True" } ready)
        {
            return false;
        }

        if (minReadySeconds == 0)
        {
            return true;
        }

        left = ready.LastTransitionTime is { } since ? since.ToUniversalTime() + TimeSpan.FromSeconds(minReadySeconds) - now.UtcDateTime : TimeSpan.FromSeconds(minReadySeconds);
        return left <= TimeSpan.Zero;
    }

    /// <summary>When the next of the active pods becomes available with nobody telling; null for never.</summary>
    public static TimeSpan? UntilNextAvailable(IEnumerable<V1Pod> pods, int minReadySeconds, DateTimeOffset now)
    {
        TimeSpan? soonest = null;
        foreach (var pod in pods.Where(IsActive))
        {
            if (!IsAvailable(pod, minReadySeconds, now, out var left) && left > TimeSpan.Zero && (soonest is null || left < soonest))
            {
                soonest = left;
            }
        }

        return soonest;
    }

    /// <summary>The moment since which it is ready; null where it is not.</summary>
    public static DateTime? ReadySince(V1Pod pod) => ReadyCondition(pod) is { Status: "True" } ready ? ready.LastTransitionTime : null;

    private static V1PodCondition? ReadyCondition(V1Pod pod) => pod.Status?.Conditions?.FirstOrDefault(c => c.Type == "Ready");
}
