namespace Podhost.Control.Controllers.PodGarbage;

/// <summary>When pods are garbage.</summary>
public sealed record PodGarbageOptions
{
    /// <summary>How many terminated pods may stay; 0 for all (upstream's --terminated-pod-gc-threshold).</summary>
    public int TerminatedPodThreshold { get; init; } = 12500;

    /// <summary>How long a node must be absent before its pods go, for it may be registered again.</summary>
    public TimeSpan Quarantine { get; init; } = TimeSpan.FromSeconds(40);
}
