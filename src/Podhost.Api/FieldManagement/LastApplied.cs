using System.Text.Json;
using System.Text.Json.Nodes;
using Podhost.Api.Objects;

namespace Podhost.Api.FieldManagement;

/// <summary>The annotation of client-side apply, which <c>kubectl apply --server-side</c> hands over and keeps up to date.</summary>
internal static class LastApplied
{
    private const string Annotation = "kubectl.kubernetes.io/last-applied-configuration";

    // Larger annotations are refused by validation; upstream drops the annotation then.
    private const int MaxBytes = 256 * 1024;

    /// <summary>The only manager that hands over: kubectl's default for server-side apply.</summary>
    public const string Manager = "kubectl";

    /// <summary>Fields that client-side apply set and that still have the value it set.</summary>
    public static FieldSet OwnedBy(JsonObject live, FieldOwnership ownership)
    {
        if (Read(live) is not { } config)
        {
            return FieldSet.Empty;
        }

        var difference = ownership.Compare(config, live);
        return ownership.SetOf(config, strict: false)
            .Difference(difference.Modified).Difference(difference.Added).Difference(difference.Removed);
    }

    /// <summary>Renews the annotation of an object that has one.</summary>
    public static void Renew(JsonObject obj, JsonObject applied)
    {
        if (obj["metadata"]?["annotations"] is not JsonObject annotations || !annotations.ContainsKey(Annotation))
        {
            return;
        }

        var config = (JsonObject)applied.DeepClone();
        (config["metadata"]?["annotations"] as JsonObject)?.Remove(Annotation);
        var text = System.Text.Encoding.UTF8.GetString(ObjectCodec.ToUtf8(config));
        if (System.Text.Encoding.UTF8.GetByteCount(text) > MaxBytes)
        {
            annotations.Remove(Annotation);
        }
        else
        {
            annotations[Annotation] = text;
        }
    }

    private static JsonObject? Read(JsonObject live)
    {
        if (live["metadata"]?["annotations"]?[Annotation] is not JsonValue v || !v.TryGetValue(out string? text))
        {
            return null;
        }

        try
        {
            return JsonNode.Parse(text) as JsonObject;
        }
        catch (JsonException)
        {
            // Anyone may write the annotation: what is no configuration hands nothing over.
            return null;
        }
    }
}
