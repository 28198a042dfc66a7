namespace Podhost.Kubelet.Probes;

/// <summary>Settings of the probe manager.</summary>
public sealed record ProbeManagerOptions
{
    /// <summary>
    /// When this kubelet started, where it may find containers of an earlier one: the first probes of containers that are older wait a random
    /// part of their period, so that they do not all come at once. Null for no such delay.
    /// </summary>
    public DateTimeOffset? RestartedAt { get; init; }
}
