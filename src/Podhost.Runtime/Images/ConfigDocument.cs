using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Podhost.Runtime.Images;

/// <summary>An image configuration (image-spec config.md).</summary>
internal sealed record ConfigDocument(ImageConfig Config, IReadOnlyList<string> DiffIds)
{
    public const int MaxBytes = 8 * 1024 * 1024;

    /// <exception cref="ImageException">It is damaged, or for another operating system.</exception>
    public static ConfigDocument Parse(ReadOnlyMemory<byte> content)
    {
        try
        {
            using var json = JsonDocument.Parse(content, new JsonDocumentOptions { MaxDepth = 32 });
            return Read(json.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new ImageException(ImageError.Invalid, "invalid image config: " + e.Message, e);
        }
    }

    /// <summary>ChainID(L0) = DiffID(L0); ChainID(L0|…|Ln) = digest(ChainID(L0|…|Ln-1) + " " + DiffID(Ln)).</summary>
    public IReadOnlyList<string> ChainIds()
    {
        var chain = new List<string>();
        foreach (var diffId in DiffIds)
        {
            chain.Add(chain.Count == 0
                ? diffId
                : Digest.FromHash(SHA256.HashData(Encoding.ASCII.GetBytes($"{chain[^1]} {diffId}"))));
        }

        return chain;
    }

    private static ConfigDocument Read(JsonElement root)
    {
        var os = root.TryGetProperty("os", out var o) ? o.GetString() : "linux";
        if (os is not ("linux" or "" or null))
        {
            throw new ImageException(ImageError.Invalid, $"image operating system \"{os}\" cannot be used on this platform");
        }

        var diffIds = root.TryGetProperty("rootfs", out var rootfs) && rootfs.TryGetProperty("diff_ids", out var ids)
            && ids.ValueKind == JsonValueKind.Array
            ? ids.EnumerateArray().Select(id => id.GetString() ?? "").ToList()
            : [];
        if (diffIds.Find(id => !Digest.IsValid(id)) is { } bad)
        {
            throw new ImageException(ImageError.Invalid, $"invalid image config: unsupported diff id \"{bad}\"");
        }

        var config = root.TryGetProperty("config", out var c) && c.ValueKind == JsonValueKind.Object ? ReadConfig(c) : ImageConfig.Empty;
        return new ConfigDocument(config, diffIds);
    }

    private static ImageConfig ReadConfig(JsonElement config) => new()
    {
        Env = Words(config, "Env"),
        Entrypoint = Words(config, "Entrypoint"),
        Cmd = Words(config, "Cmd"),
        WorkingDir = Text(config, "WorkingDir"),
        User = Text(config, "User"),
        StopSignal = Text(config, "StopSignal"),
        Labels = Members(config, "Labels").ToDictionary(m => m.Name, m => m.Value.GetString() ?? "", StringComparer.Ordinal),
        Volumes = [.. Members(config, "Volumes").Select(m => m.Name)],
        ExposedPorts = [.. Members(config, "ExposedPorts").Select(m => m.Name)],
    };

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";

    private static List<string> Words(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Select(word => word.GetString() ?? "")]
            : [];

    private static IEnumerable<JsonProperty> Members(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Object ? value.EnumerateObject() : [];
}
