namespace Podhost.Runtime.Images;

/// <summary>An image that is complete on this node: pulled or loaded, verified and unpacked.</summary>
public sealed record LocalImage
{
    /// <summary>The digest of the image configuration, "sha256:…": CRI's image id.</summary>
    public required string Id { get; init; }

    /// <summary>The digest of the manifest that the image was made from.</summary>
    public required string ManifestDigest { get; init; }

    /// <summary>Full references with a tag, such as docker.io/library/busybox:latest.</summary>
    public IReadOnlyList<string> RepoTags { get; init; } = [];

    /// <summary>Full references with a digest, such as docker.io/library/busybox@sha256:….</summary>
    public IReadOnlyList<string> RepoDigests { get; init; } = [];

    /// <summary>The chain ids of the layers, the lowest first (image-spec, "Layer ChainID").</summary>
    public IReadOnlyList<string> ChainIds { get; init; } = [];

    /// <summary>Bytes of the manifest, the configuration and the layers as distributed.</summary>
    public long Size { get; init; }

    /// <summary>Asks the kubelet not to collect the image.</summary>
    public bool Pinned { get; init; }

    /// <summary>What the image asks of a container.</summary>
    public ImageConfig Config { get; init; } = ImageConfig.Empty;
}
