using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>Events of a resize, in upstream's form: a sentence and the resources as JSON.</summary>
internal static class ResizeMessages
{
    /// <summary>For example <c>Pod resize started: {"containers":[…],"generation":2}</c>.</summary>
    public static string Of(string what, V1Pod pod, long generation, string error = "")
    {
        var summary = new JsonObject();
        Add(summary, "initContainers", pod.Spec?.InitContainers);
        Add(summary, "containers", pod.Spec?.Containers);
        summary["generation"] = generation;
        if (error.Length > 0)
        {
            summary["error"] = error;
        }

        return $"{what}: {Print(summary)}";
    }

    // For people to read: only what JSON must escape is escaped.
    private static string Print(JsonObject o)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            o.WriteTo(json);
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void Add(JsonObject summary, string name, IList<V1Container>? containers)
    {
        if (containers is { Count: > 0 })
        {
            summary[name] = new JsonArray([.. containers.Select(c => (JsonNode)new JsonObject { ["name"] = c.Name, ["resources"] = Resources(c.Resources) })]);
        }
    }

    private static JsonObject Resources(V1ResourceRequirements? resources)
    {
        var o = new JsonObject();
        foreach (var (name, list) in new[] { ("limits", resources?.Limits), ("requests", resources?.Requests) })
        {
            if (list is { Count: > 0 })
            {
                o[name] = new JsonObject(list.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => KeyValuePair.Create(e.Key, (JsonNode?)JsonValue.Create(e.Value.ToString()))));
            }
        }

        return o;
    }
}
