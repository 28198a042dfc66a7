using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Defaulting;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.Api.Validation;
using Podhost.Api.Yaml;

namespace Podhost.Kubelet.Sources;

/// <summary>Turns a manifest (JSON or YAML) into a static pod: defaulted, validated, named NAME-NODE, with a UID that follows from its content.</summary>
internal sealed class StaticPodReader(string nodeName)
{
    /// <summary>Most bytes of a manifest (upstream's maxConfigLength).</summary>
    public const int MaxBytes = 10 << 20;

    /// <summary>The pod of a manifest.</summary>
    /// <exception cref="FormatException">It is no valid Pod, or not one that may be static; the message says why.</exception>
    public V1Pod Read(string path, byte[] content)
    {
        var json = Parse(content);
        if (Text(json["kind"]) != "Pod" || Text(json["apiVersion"]) != "v1")
        {
            throw new FormatException($"kind {Text(json["kind"])} of {Text(json["apiVersion"])} is not Pod of v1");
        }

        Identify(path, content, json);
        var resource = ResourceTable.For<V1Pod>();
        ObjectDefaulter.Apply(resource, json);
        if (ObjectValidator.ValidateCreate(resource, json) is { Count: > 0 } errors)
        {
            throw new FormatException(string.Join(", ", errors));
        }

        var pod = ToPod(json);
        if (ApiReferences.First(pod) is { } reference)
        {
            throw new FormatException($"static pods may not reference {reference}");
        }

        return pod;
    }

    private void Identify(string path, byte[] content, JsonObject json)
    {
        var metadata = json["metadata"] as JsonObject ?? throw new FormatException("metadata: Required value");
        var name = Text(metadata["name"]);
        if (name.Length == 0)
        {
            throw new FormatException("metadata.name: Required value");
        }

        var uid = Hash(path, content);
        metadata["name"] = $"{name}-{nodeName}";
        metadata["uid"] = uid;
        metadata["namespace"] = Text(metadata["namespace"]) is { Length: > 0 } ns ? ns : "default";
        if (metadata["annotations"] is not JsonObject annotations)
        {
            metadata["annotations"] = annotations = [];
        }

        annotations[PodAnnotations.Source] = "file";
        annotations[PodAnnotations.Hash] = uid;
        json.Remove("status");
        if (json["spec"] is not JsonObject spec)
        {
            throw new FormatException("spec: Required value");
        }

        spec["nodeName"] = nodeName;
        AddToleration(spec);
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

    private string Hash(string path, byte[] content)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(content);
        hash.AppendData(Encoding.UTF8.GetBytes($"\0host:{nodeName}\0file:{path}"));
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
    }

    private static JsonObject Parse(byte[] content)
    {
        try
        {
            return content.AsSpan().TrimStart(" \t\r\n"u8).StartsWith("{"u8)
                ? JsonText.Parse(content) as JsonObject ?? throw new JsonException("the document is not a JSON object")
                : YamlReader.ReadObject(content);
        }
        catch (Exception e) when (e is JsonException or YamlException)
        {
            throw new FormatException(e.Message, e);
        }
    }

    private static V1Pod ToPod(JsonObject json)
    {
        try
        {
            return ObjectCodec.ToModel<V1Pod>(json);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or ArgumentException or OverflowException)
        {
            throw new FormatException(e.Message, e);
        }
    }

    private static string Text(JsonNode? node) => node is JsonValue v && v.TryGetValue<string>(out var text) ? text : "";
}
