namespace Podhost.Kubelet.Volumes;

/// <summary>The node's part of volumes.</summary>
public sealed record VolumeManagerOptions
{
    /// <summary>The kubelet's directory; pods are in <c>pods/&lt;uid&gt;</c> below it.</summary>
    public required string RootDirectory { get; init; }

    /// <summary>First and longest pause before a failed update of a mounted volume is tried again.</summary>
    public (TimeSpan First, TimeSpan Longest) UpdateBackOff { get; init; } = (TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(2));
}
