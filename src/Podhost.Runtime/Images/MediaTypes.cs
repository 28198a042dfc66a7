namespace Podhost.Runtime.Images;

/// <summary>Media types of OCI and of Docker's schema 2.</summary>
internal static class MediaTypes
{
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";
    public const string OciConfig = "application/vnd.oci.image.config.v1+json";
    public const string OciLayer = "application/vnd.oci.image.layer.v1.tar";
    public const string DockerList = "application/vnd.docker.distribution.manifest.list.v2+json";
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
    public const string DockerConfig = "application/vnd.docker.container.image.v1+json";

    private const string DockerLayer = "application/vnd.docker.image.rootfs.diff.tar";
    private const string DockerForeignLayer = "application/vnd.docker.image.rootfs.foreign.diff.tar";
    private const string OciForeignLayer = "application/vnd.oci.image.layer.nondistributable.v1.tar";

    /// <summary>Everything that a manifest request takes.</summary>
    public static readonly string[] Manifests = [OciIndex, OciManifest, DockerList, DockerManifest];

    public static bool IsIndex(string mediaType) => mediaType is OciIndex or DockerList;

    public static bool IsManifest(string mediaType) => mediaType is OciManifest or DockerManifest;

    public static bool IsConfig(string mediaType) => mediaType is OciConfig or DockerConfig;

    /// <exception cref="ImageException">A foreign layer, or no layer of a container image.</exception>
    public static void CheckLayer(string mediaType)
    {
        var plain = mediaType.EndsWith(".gzip", StringComparison.Ordinal) ? mediaType[..^5] : mediaType.Split('+')[0];
        if (plain is DockerForeignLayer or OciForeignLayer)
        {
            throw new ImageException(ImageError.Invalid, $"foreign layers are not supported (media type {mediaType})");
        }

        if (plain is not (OciLayer or DockerLayer))
        {
            throw new ImageException(ImageError.Invalid, $"unsupported layer media type \"{mediaType}\"");
        }
    }
}
