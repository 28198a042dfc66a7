using Podhost.Runtime.Images.Layers;
using Podhost.Runtime.Images.Registry;

namespace Podhost.Runtime.Images;

/// <summary>Options of the embedded image service.</summary>
public sealed record EmbeddedImagesOptions
{
    /// <summary>The runtime's directory, usually DATA-DIR/runtime: content/, layers/, rootfs/ and images.json go there.</summary>
    public required string Directory { get; init; }

    /// <summary>How registries are reached.</summary>
    public RegistryOptions Registry { get; init; } = new();

    /// <summary>Bounds of a layer.</summary>
    public LayerLimits LayerLimits { get; init; } = new();

    /// <summary>Layers that are downloaded at once, over all pulls.</summary>
    public int MaxParallelDownloads { get; init; } = 3;

    /// <summary>Write layers to the disk before they count as there. Off, a crash of the machine (not of the process) can damage one.</summary>
    public bool DurableLayers { get; init; } = true;

    /// <summary>
    /// Mount root file systems with overlayfs's "volatile": nothing that a container writes to its root is synced, which makes its
    /// removal faster. A crash of the machine loses it, as containers do not outlive one.
    /// </summary>
    public bool VolatileRootfs { get; init; }

    /// <summary>Gets the progress of all pulls and loads; must be fast and safe for several threads.</summary>
    public Action<PullProgress>? Progress { get; init; }
}
