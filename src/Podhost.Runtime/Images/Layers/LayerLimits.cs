namespace Podhost.Runtime.Images.Layers;

/// <summary>Bounds of one unpacked layer: a few kilobytes of a hostile layer may ask for terabytes.</summary>
public sealed record LayerLimits
{
    /// <summary>Files, directories and links.</summary>
    public int MaxEntries { get; init; } = 2_000_000;

    /// <summary>Bytes of the uncompressed tar.</summary>
    public long MaxBytes { get; init; } = 64L * 1024 * 1024 * 1024;
}
