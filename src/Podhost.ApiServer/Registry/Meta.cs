using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Podhost.Api.Selectors;

namespace Podhost.ApiServer.Registry;

/// <summary>Access to ObjectMeta on JSON objects.</summary>
internal static class Meta
{
    /// <summary>metadata of an object; made where it is missing.</summary>
    public static JsonObject Of(JsonObject obj)
    {
        if (obj["metadata"] is JsonObject meta)
        {
            return meta;
        }

        meta = [];
        obj["metadata"] = meta;
        return meta;
    }

    /// <summary>A string of metadata; empty where it is not set.</summary>
    public static string Get(JsonObject obj, string field) => Text((obj["metadata"] as JsonObject)?[field]);

    public static string Name(JsonObject obj) => Get(obj, "name");

    public static string Namespace(JsonObject obj) => Get(obj, "namespace");

    public static string Uid(JsonObject obj) => Get(obj, "uid");

    public static string ResourceVersion(JsonObject obj) => Get(obj, "resourceVersion");

    public static long Generation(JsonObject obj) =>
        (obj["metadata"] as JsonObject)?["generation"] is JsonValue v && v.TryGetValue(out long n) ? n : 0;

    public static bool IsDeleting(JsonObject obj) => Get(obj, "deletionTimestamp").Length > 0;

    public static long? GraceSeconds(JsonObject obj) =>
        (obj["metadata"] as JsonObject)?["deletionGracePeriodSeconds"] is JsonValue v && v.TryGetValue(out long n) ? n : null;

    public static DateTimeOffset? DeletionTime(JsonObject obj) =>
        DateTimeOffset.TryParse(Get(obj, "deletionTimestamp"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var t) ? t : null;

    public static List<string> Finalizers(JsonObject obj) =>
        (obj["metadata"] as JsonObject)?["finalizers"] is JsonArray a ? [.. a.Select(Text)] : [];

    public static void SetFinalizers(JsonObject obj, IReadOnlyCollection<string> finalizers)
    {
        var meta = Of(obj);
        if (finalizers.Count == 0)
        {
            meta.Remove("finalizers");
        }
        else
        {
            meta["finalizers"] = new JsonArray([.. finalizers.Select(f => (JsonNode)f)]);
        }
    }

    /// <summary>A time as ObjectMeta has it: whole seconds, UTC.</summary>
    public static string Time(DateTimeOffset t) => t.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>A time of whole seconds, as all but micro times are written.</summary>
    public static DateTime WholeSeconds(DateTimeOffset t) => DateTimeOffset.FromUnixTimeSeconds(t.ToUnixTimeSeconds()).UtcDateTime;

    /// <summary>A string node's value; empty for anything else.</summary>
    public static string Text(JsonNode? node) =>
        node is JsonValue v && v.GetValueKind() == JsonValueKind.String ? v.GetValue<string>() : "";

    /// <summary>spec.selector of an object that has pods: a LabelSelector, or a plain map of labels.</summary>
    public static LabelSelector SelectorOf(JsonObject obj) => At(obj, "spec", "selector") switch
    {
        JsonObject map when Text(obj["kind"]) is "ReplicationController" or "Service" => LabelSelector.FromObject(new JsonObject { ["matchLabels"] = map.DeepClone() }),
        var selector => LabelSelector.FromObject(selector as JsonObject),
    };

    /// <summary>A node of a path of objects, or null.</summary>
    public static JsonNode? At(JsonObject obj, params ReadOnlySpan<string> path)
    {
        JsonNode? node = obj;
        foreach (var step in path)
        {
            node = (node as JsonObject)?[step];
        }

        return node;
    }

    /// <summary>A child object; made where it is missing.</summary>
    public static JsonObject Child(JsonObject parent, string name)
    {
        if (parent[name] is JsonObject child)
        {
            return child;
        }

        child = [];
        parent[name] = child;
        return child;
    }

    /// <summary>Copies a field from one object to another, or removes it where the source has none.</summary>
    public static void CopyField(JsonObject from, JsonObject to, string name)
    {
        if (from[name] is { } value)
        {
            to[name] = value.DeepClone();
        }
        else
        {
            to.Remove(name);
        }
    }
}
