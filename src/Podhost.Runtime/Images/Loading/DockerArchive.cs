using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Podhost.Runtime.Images.Loading;

/// <summary>
/// What `docker save` writes: manifest.json with a list of {Config, RepoTags, Layers}. It has no OCI manifest for its layers: one is made,
/// the same for the same content.
/// </summary>
internal static class DockerArchive
{
    public const string FileName = "manifest.json";

    public static async Task<IReadOnlyList<ArchivedImage>> ReadAsync(IArchive archive, CancellationToken cancellationToken)
    {
        var images = new List<ArchivedImage>();
        foreach (var item in Parse(await archive.ReadAsync(FileName, ManifestDocument.MaxBytes, cancellationToken)))
        {
            var config = await archive.DescribeAsync(item.Config, MediaTypes.OciConfig, cancellationToken);
            var files = new Dictionary<string, string> { [config.Digest] = item.Config };
            var layers = new List<Descriptor>();
            foreach (var layer in item.Layers)
            {
                layers.Add(await archive.DescribeAsync(layer, MediaTypes.OciLayer, cancellationToken));
                files[layers[^1].Digest] = layer;
            }

            images.Add(new ArchivedImage(ManifestDocument.Parse(Manifest(config, layers), null), null, files, item.RepoTags));
        }

        return images;
    }

    private static List<Item> Parse(byte[] json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return [.. document.RootElement.EnumerateArray().Select(item => new Item(
                item.GetProperty("Config").GetString() ?? "",
                Strings(item, "RepoTags"),
                Strings(item, "Layers")))];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new ImageException(ImageError.Invalid, $"invalid {FileName} in the image archive: {e.Message}", e);
        }
    }

    private static List<string> Strings(JsonElement item, string name) =>
        item.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array
            ? [.. list.EnumerateArray().Select(text => text.GetString() ?? "")]
            : [];

    private static byte[] Manifest(Descriptor config, IEnumerable<Descriptor> layers) => Encoding.UTF8.GetBytes(new JsonObject
    {
        ["schemaVersion"] = 2,
        ["mediaType"] = MediaTypes.OciManifest,
        ["config"] = Describe(config),
        ["layers"] = new JsonArray([.. layers.Select(Describe)]),
    }.ToJsonString());

    private static JsonNode Describe(Descriptor descriptor) => new JsonObject
    {
        ["mediaType"] = descriptor.MediaType,
        ["digest"] = descriptor.Digest,
        ["size"] = descriptor.Size,
    };

    private sealed record Item(string Config, IReadOnlyList<string> RepoTags, IReadOnlyList<string> Layers);
}
