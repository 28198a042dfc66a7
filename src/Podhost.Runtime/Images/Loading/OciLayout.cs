using System.Text.Json;

namespace Podhost.Runtime.Images.Loading;

/// <summary>An OCI image layout: index.json and blobs/sha256/HEX (image-spec image-layout.md).</summary>
internal static class OciLayout
{
    public const string FileName = "index.json";

    private const int MaxIndexDepth = 2;

    public static async Task<IReadOnlyList<ArchivedImage>> ReadAsync(IArchive archive, CancellationToken cancellationToken)
    {
        var json = await archive.ReadAsync(FileName, ManifestDocument.MaxBytes, cancellationToken);
        var index = ManifestDocument.Parse(json, MediaTypes.OciIndex);
        if (!index.IsIndex)
        {
            throw new ImageException(ImageError.Invalid, $"{FileName} of the image archive is no index");
        }

        var names = Names(json);
        var images = new List<ArchivedImage>();
        for (var i = 0; i < index.Manifests.Count; i++)
        {
            images.Add(await ReadAsync(archive, index.Manifests[i], names[i], cancellationToken));
        }

        return images;
    }

    private static async Task<ArchivedImage> ReadAsync(IArchive archive, Descriptor top, string? name, CancellationToken cancellationToken)
    {
        var manifest = await ReadManifestAsync(archive, top, cancellationToken);
        for (var depth = 0; manifest.IsIndex; depth++)
        {
            if (depth == MaxIndexDepth)
            {
                throw new ImageException(ImageError.Invalid, "image index is nested too deeply");
            }

            manifest = await ReadManifestAsync(archive, manifest.Select(Platform.Host), cancellationToken);
        }

        var files = manifest.Layers.Append(manifest.Config!).Select(blob => blob.Digest).Distinct().ToDictionary(digest => digest, BlobName);
        return new ArchivedImage(manifest, top.Digest, files, name is null ? [] : [name]);
    }

    private static async Task<ManifestDocument> ReadManifestAsync(IArchive archive, Descriptor descriptor, CancellationToken cancellationToken)
    {
        var bytes = await archive.ReadAsync(BlobName(descriptor.Digest), ManifestDocument.MaxBytes, cancellationToken);
        var manifest = ManifestDocument.Parse(bytes, descriptor.MediaType);
        return manifest.Digest == descriptor.Digest ? manifest : throw new ImageException(
            ImageError.Invalid, $"unexpected digest {manifest.Digest} of a manifest, expected {descriptor.Digest}");
    }

    private static string BlobName(string digest) => "blobs/sha256/" + Digest.Hex(digest);

    // containerd writes the whole name into an annotation of its own; the specification's one is often a bare tag.
    private static List<string?> Names(byte[] json)
    {
        using var document = JsonDocument.Parse(json);
        return [.. document.RootElement.GetProperty("manifests").EnumerateArray().Select(manifest =>
            manifest.TryGetProperty("annotations", out var annotations) && annotations.ValueKind == JsonValueKind.Object
                ? Text(annotations, "io.containerd.image.name") ?? WholeName(Text(annotations, "org.opencontainers.image.ref.name"))
                : null)];
    }

    private static string? WholeName(string? name) =>
        name is not null && (name.Contains('/', StringComparison.Ordinal) || name.Contains(':', StringComparison.Ordinal)) ? name : null;

    private static string? Text(JsonElement annotations, string name) =>
        annotations.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
