using System.Text.Json.Nodes;
using Podhost.Runtime.Images;

namespace Podhost.Runtime.Tests.Images;

/// <summary>An image in memory: blobs by digest and a manifest.</summary>
internal sealed class TestImage
{
    public const string LayerTar = "application/vnd.oci.image.layer.v1.tar";
    public const string LayerGzip = LayerTar + "+gzip";
    public const string LayerZstd = LayerTar + "+zstd";

    private TestImage(byte[] manifest, Dictionary<string, byte[]> blobs, string configDigest)
    {
        Manifest = manifest;
        Blobs = blobs;
        ConfigDigest = configDigest;
    }

    public byte[] Manifest { get; }

    public string ManifestDigest => Digest.Of(Manifest);

    public string ConfigDigest { get; }

    public Dictionary<string, byte[]> Blobs { get; }

    /// <summary>An image with one small file.</summary>
    public static TestImage Small(string content = "hello", string user = "") =>
        Create([new TestLayer().Directory("etc/").File("etc/motd", content).Tar()], user: user);

    /// <param name="tars">The layers, the lowest first.</param>
    /// <param name="compression">A layer media type.</param>
    /// <param name="user">The configuration's user.</param>
    /// <param name="diffIds">Replaces the true diff ids.</param>
    public static TestImage Create(byte[][] tars, string compression = LayerGzip, string user = "", string[]? diffIds = null)
    {
        var config = new JsonObject
        {
            ["os"] = "linux",
            ["architecture"] = Platform.Host.Architecture,
            ["config"] = new JsonObject
            {
                ["Env"] = new JsonArray("PATH=/bin", "GREETING=hello"),
                ["Entrypoint"] = new JsonArray("/bin/app"),
                ["Cmd"] = new JsonArray("--serve"),
                ["WorkingDir"] = "/srv",
                ["User"] = user,
                ["StopSignal"] = "SIGINT",
                ["Labels"] = new JsonObject { ["team"] = "pods" },
                ["Volumes"] = new JsonObject { ["/data"] = new JsonObject() },
            },
            ["rootfs"] = new JsonObject
            {
                ["type"] = "layers",
                ["diff_ids"] = new JsonArray([.. (diffIds ?? [.. tars.Select(tar => Digest.Of(tar))]).Select(id => JsonValue.Create(id))]),
            },
        };
        var blobs = new Dictionary<string, byte[]>();
        var layers = new JsonArray();
        foreach (var tar in tars)
        {
            var blob = compression switch { LayerGzip => TestLayer.Gzip(tar), LayerZstd => TestLayer.Zstd(tar), _ => tar };
            layers.Add(Describe(blobs, compression, blob));
        }

        var configDescriptor = Describe(blobs, "application/vnd.oci.image.config.v1+json", Bytes(config));
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = "application/vnd.oci.image.manifest.v1+json",
            ["config"] = configDescriptor,
            ["layers"] = layers,
        };
        return new TestImage(Bytes(manifest), blobs, configDescriptor["digest"]!.GetValue<string>());
    }

    /// <summary>An index of images by architecture.</summary>
    public static byte[] Index(params (TestImage Image, string Architecture)[] images) => Bytes(new JsonObject
    {
        ["schemaVersion"] = 2,
        ["mediaType"] = "application/vnd.oci.image.index.v1+json",
        ["manifests"] = new JsonArray([.. images.Select(i => (JsonNode)new JsonObject
        {
            ["mediaType"] = "application/vnd.oci.image.manifest.v1+json",
            ["digest"] = i.Image.ManifestDigest,
            ["size"] = i.Image.Manifest.Length,
            ["platform"] = new JsonObject { ["os"] = "linux", ["architecture"] = i.Architecture },
        })]),
    });

    public static byte[] Bytes(JsonNode json) => System.Text.Encoding.UTF8.GetBytes(json.ToJsonString());

    private static JsonObject Describe(Dictionary<string, byte[]> blobs, string mediaType, byte[] blob)
    {
        var digest = Digest.Of(blob);
        blobs[digest] = blob;
        return new JsonObject { ["mediaType"] = mediaType, ["digest"] = digest, ["size"] = blob.Length };
    }
}
