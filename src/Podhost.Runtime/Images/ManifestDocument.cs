using System.Text.Json;

namespace Podhost.Runtime.Images;

/// <summary>A manifest or an index, checked as far as its own bytes tell (image-spec manifest.md and image-index.md; Docker schema 2).</summary>
internal sealed record ManifestDocument
{
    public const int MaxBytes = 4 * 1024 * 1024;

    // overlayfs takes 500, a page of mount options about 220.
    public const int MaxLayers = 200;
    private const int MaxManifests = 1000;

    public required string MediaType { get; init; }

    public required byte[] Content { get; init; }

    public required string Digest { get; init; }

    /// <summary>An index's manifests; empty for a manifest.</summary>
    public IReadOnlyList<Descriptor> Manifests { get; init; } = [];

    public Descriptor? Config { get; init; }

    public IReadOnlyList<Descriptor> Layers { get; init; } = [];

    public bool IsIndex => Config is null;

    /// <param name="content">The document's bytes.</param>
    /// <param name="mediaType">What the transport said, or null: only used where the document itself is silent.</param>
    /// <exception cref="ImageException">It is neither, or both.</exception>
    public static ManifestDocument Parse(byte[] content, string? mediaType)
    {
        try
        {
            using var json = JsonDocument.Parse(content, new JsonDocumentOptions { MaxDepth = 32 });
            return Read(json.RootElement, content, mediaType);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new ImageException(ImageError.Invalid, "invalid manifest: " + e.Message, e);
        }
    }

    /// <summary>The manifest of an index that runs on the platform.</summary>
    /// <exception cref="ImageException">There is none.</exception>
    public Descriptor Select(Platform platform)
    {
        var best = Manifests
            .Where(d => MediaTypes.IsManifest(d.MediaType) || MediaTypes.IsIndex(d.MediaType))
            .Select(d => (Descriptor: d, Rank: d.Platform is null ? 1 : platform.Rank(d.Platform)))
            .Where(x => x.Rank > 0)
            .OrderByDescending(x => x.Rank)
            .Select(x => x.Descriptor)
            .FirstOrDefault();
        return best ?? throw new ImageException(
            ImageError.NotFound, $"no match for platform {platform.Os}/{platform.Architecture} in manifest: not found");
    }

    private static ManifestDocument Read(JsonElement root, byte[] content, string? transportType)
    {
        var isIndex = root.TryGetProperty("manifests", out var manifests);
        var isManifest = root.TryGetProperty("config", out var config) & root.TryGetProperty("layers", out var layers);

        // A document that is both would be read one way by a scanner and another way here (CVE-2021-41190).
        if (isIndex == isManifest || (isIndex && (root.TryGetProperty("layers", out _) || root.TryGetProperty("config", out _))))
        {
            throw new ImageException(ImageError.Invalid, root.TryGetProperty("fsLayers", out _)
                ? "Docker schema 1 manifests are not supported"
                : "invalid manifest: neither a manifest nor an index");
        }

        var declared = root.TryGetProperty("mediaType", out var type) ? type.GetString() : transportType;
        var mediaType = declared is null or "" ? (isIndex ? MediaTypes.OciIndex : MediaTypes.OciManifest) : declared;
        if (isIndex ? !MediaTypes.IsIndex(mediaType) : !MediaTypes.IsManifest(mediaType))
        {
            throw new ImageException(ImageError.Invalid, $"unsupported manifest media type \"{mediaType}\"");
        }

        return new ManifestDocument
        {
            MediaType = mediaType,
            Content = content,
            Digest = Images.Digest.Of(content),
            Manifests = isIndex ? ReadList(manifests, MaxManifests) : [],
            Config = isIndex ? null : ReadConfig(config),
            Layers = isIndex ? [] : ReadLayers(layers),
        };
    }

    private static Descriptor ReadConfig(JsonElement element)
    {
        var config = ReadDescriptor(element);
        return MediaTypes.IsConfig(config.MediaType) ? config : throw new ImageException(
            ImageError.Invalid, $"not a container image: its config has the media type \"{config.MediaType}\"");
    }

    private static List<Descriptor> ReadLayers(JsonElement element)
    {
        var layers = ReadList(element, MaxLayers);
        layers.ForEach(layer => MediaTypes.CheckLayer(layer.MediaType));
        return layers;
    }

    private static List<Descriptor> ReadList(JsonElement element, int limit) =>
        element.GetArrayLength() <= limit
            ? [.. element.EnumerateArray().Select(ReadDescriptor)]
            : throw new ImageException(ImageError.TooLarge, $"manifest has more than {limit} entries");

    private static Descriptor ReadDescriptor(JsonElement element)
    {
        var digest = element.GetProperty("digest").GetString() ?? "";
        var size = element.GetProperty("size").GetInt64();
        if (!Images.Digest.IsValid(digest) || size < 0)
        {
            throw new ImageException(ImageError.Invalid, $"invalid manifest: unsupported digest or size of \"{digest}\"");
        }

        var platform = element.TryGetProperty("platform", out var p) && p.ValueKind == JsonValueKind.Object
            ? new Platform(Text(p, "os"), Text(p, "architecture"), Text(p, "variant"))
            : null;
        return new Descriptor(Text(element, "mediaType"), digest, size, platform);
    }

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";
}
