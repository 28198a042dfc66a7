using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Api.Resources;

namespace Podhost.Kubelet.Sources;

/// <summary>What a manifest holds: one of the three.</summary>
/// <param name="Uid">Follows from the content and the place.</param>
/// <param name="Unknown">A sentence about each field that the kind does not have.</param>
internal sealed record StaticManifest(string Uid, IReadOnlyList<string> Unknown)
{
    /// <summary>A static pod.</summary>
    public V1Pod? Pod { get; init; }

    /// <summary>An object for static pods.</summary>
    public V1ConfigMap? ConfigMap { get; init; }

    /// <summary>An object for static pods.</summary>
    public V1Secret? Secret { get; init; }
}

/// <summary>Turns a manifest (JSON or YAML) into a static pod: defaulted, validated, named NAME-NODE, with a UID that follows from its content.</summary>
/// <param name="nodeName">The node.</param>
/// <param name="withObjects">ConfigMaps and Secrets are taken too, and pods may refer to them.</param>
/// <param name="source">Where manifests come from, as the annotation says it: file or http.</param>
internal sealed class StaticPodReader(string nodeName, bool withObjects = false, string source = "file")
{
    /// <summary>Most bytes of a manifest (upstream's maxConfigLength).</summary>
    public const int MaxBytes = 10 << 20;

    private static readonly ResourceInfo Pods = ResourceTable.For<V1Pod>();

    /// <summary>UID of what a manifest holds.</summary>
    public string UidOf(string path, ReadOnlySpan<byte> content)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(content);
        hash.AppendData(Encoding.UTF8.GetBytes($"\0host:{nodeName}\0{source}:{path}"));
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
    }

    /// <summary>A manifest.</summary>
    /// <exception cref="FormatException">It is not valid, or not one that may be static; the message says why, with line and field.</exception>
    public StaticManifest Read(string path, byte[] content)
    {
        var reader = new ManifestReader(content);
        return Read(reader, UidOf(path, content), reader.Parse());
    }

    /// <summary>A manifest that was parsed already.</summary>
    /// <exception cref="FormatException">As <see cref="Read(string, byte[])"/>.</exception>
    public StaticManifest Read(ManifestReader reader, string uid, JsonObject json) => (Text(json["apiVersion"]), Text(json["kind"])) switch
    {
        ("v1", "Pod") => Pod(reader, uid, json),
        ("v1", "ConfigMap") when withObjects => ConfigMap(reader, uid, json),
        ("v1", "Secret") when withObjects => Secret(reader, uid, json),
        var (version, kind) => throw reader.Fault("kind", $"Unsupported value: \"{kind}\" of apiVersion \"{version}\": supported values: {(withObjects ? "Pod, ConfigMap, Secret" : "Pod")} of v1"),
    };

    private StaticManifest Pod(ManifestReader reader, string uid, JsonObject json)
    {
        Identify(reader, uid, json);
        var (checkedPod, unknown) = reader.Check(Pods, json);
        var pod = ToModel<V1Pod>(checkedPod);
        if (ApiReferences.First(pod, withObjects) is { } reference)
        {
            throw new FormatException($"static pods may not reference {reference}");
        }

        return new StaticManifest(uid, unknown) { Pod = pod };
    }

    private static StaticManifest ConfigMap(ManifestReader reader, string uid, JsonObject json)
    {
        SetNamespace(reader, json);
        var (map, unknown) = reader.Check(ResourceTable.For<V1ConfigMap>(), json);
        return new StaticManifest(uid, unknown) { ConfigMap = ToModel<V1ConfigMap>(map) };
    }

    private static StaticManifest Secret(ManifestReader reader, string uid, JsonObject json)
    {
        SetNamespace(reader, json);
        if (json["stringData"] is JsonObject plain)
        {
            // As the API server's: values of stringData win.
            var data = json["data"] as JsonObject ?? [];
            foreach (var (key, value) in plain)
            {
                data[key] = Convert.ToBase64String(Encoding.UTF8.GetBytes(value is JsonValue v && v.TryGetValue<string>(out var word)
                    ? word : throw reader.Fault($"stringData.{key}", "Invalid value: must be a string")));
            }

            json["data"] = data.Parent is null ? data : data.DeepClone();
            json.Remove("stringData");
        }

        var (secret, unknown) = reader.Check(ResourceTable.For<V1Secret>(), json);
        return new StaticManifest(uid, unknown) { Secret = ToModel<V1Secret>(secret) };
    }

    private void Identify(ManifestReader reader, string uid, JsonObject json)
    {
        var metadata = SetNamespace(reader, json);
        var name = Text(metadata["name"]);
        if (name.Length == 0)
        {
            throw reader.Fault("metadata.name", "Required value");
        }

        metadata["name"] = $"{name}-{nodeName}";
        metadata["uid"] = uid;
        if (metadata["annotations"] is not JsonObject annotations)
        {
            metadata["annotations"] = annotations = [];
        }

        annotations[PodAnnotations.Source] = source;
        annotations[PodAnnotations.Hash] = uid;
        json.Remove("status");
        if (json["spec"] is not JsonObject spec)
        {
            throw reader.Fault("spec", "Required value");
        }

        spec["nodeName"] = nodeName;
        AddToleration(spec);
    }

    private static JsonObject SetNamespace(ManifestReader reader, JsonObject json)
    {
        var metadata = json["metadata"] as JsonObject ?? throw reader.Fault("metadata", "Required value");
        metadata["namespace"] = Text(metadata["namespace"]) is { Length: > 0 } ns ? ns : "default";
        return metadata;
    }

    /// <summary>A static pod is bound to its node: no NoExecute taint evicts it.</summary>
    private static void AddToleration(JsonObject spec)
    {
        if (spec["tolerations"] is not JsonArray tolerations)
        {
            spec["tolerations"] = tolerations = [];
        }

        tolerations.Add((JsonNode)new JsonObject { ["operator"] = "Exists", ["effect"] = "NoExecute" });
    }

    private static T ToModel<T>(JsonObject json)
    {
        try
        {
            return ObjectCodec.ToModel<T>(json);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or ArgumentException or OverflowException)
        {
            throw new FormatException(e.Message, e);
        }
    }

    private static string Text(JsonNode? node) => node is JsonValue v && v.TryGetValue<string>(out var text) ? text : "";
}
