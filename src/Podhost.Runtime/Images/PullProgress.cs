namespace Podhost.Runtime.Images;

/// <summary>What a pull is doing.</summary>
public enum PullPhase
{
    /// <summary>Asking the registry what the reference means.</summary>
    Resolving,

    /// <summary>Receiving a layer.</summary>
    Downloading,

    /// <summary>Unpacking a layer.</summary>
    Unpacking,

    /// <summary>A layer is in place: unpacked now or before.</summary>
    Ready,

    /// <summary>The image can be used.</summary>
    Done,
}

/// <summary>A step of a pull or load, for progress bars. Reported often and from several threads.</summary>
/// <param name="Image">The reference.</param>
/// <param name="Phase">What happens.</param>
/// <param name="Digest">The layer's digest; empty where the whole image is meant.</param>
/// <param name="Current">Bytes received.</param>
/// <param name="Total">Bytes of the layer as distributed.</param>
public readonly record struct PullProgress(string Image, PullPhase Phase, string Digest, long Current, long Total);
