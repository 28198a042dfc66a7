namespace Podhost.Control.Controllers.NodeLifecycle;

/// <summary>When a silent node counts as lost.</summary>
public sealed record NodeLifecycleOptions
{
    /// <summary>How long a node may be silent that has posted a status (upstream's --node-monitor-grace-period; 50 s since 1.32).</summary>
    public TimeSpan MonitorGracePeriod { get; init; } = TimeSpan.FromSeconds(50);

    /// <summary>How long a node may be silent that has posted none yet (upstream's --node-startup-grace-period).</summary>
    public TimeSpan StartupGracePeriod { get; init; } = TimeSpan.FromSeconds(60);
}
