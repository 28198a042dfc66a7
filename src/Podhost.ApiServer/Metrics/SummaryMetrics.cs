using System.Globalization;
using System.Text.Json.Nodes;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Metrics;

/// <summary>NodeMetrics and PodMetrics from a kubelet's /stats/summary. What the kubelet does not know yet is left out, as metrics-server does.</summary>
internal sealed class SummaryMetrics(UsageRates rates)
{
    /// <summary>The node, or null where there is no usage yet.</summary>
    public JsonObject? Node(JsonObject summary, JsonObject node)
    {
        var stats = summary["node"] as JsonObject ?? [];
        return Usage("node/" + Meta.Name(node), stats) is var (usage, window)
            ? Object("NodeMetrics", Meta.Name(node), "", Meta.Of(node)["labels"], Time(stats), window, ("usage", usage))
            : null;
    }

    /// <summary>A pod, or null where one of its running containers has no usage yet.</summary>
    public JsonObject? Pod(JsonObject stats, JsonNode? labels)
    {
        var containers = (stats["containers"] as JsonArray ?? []).OfType<JsonObject>().ToList();
        var uid = Meta.Text(Meta.At(stats, "podRef", "uid"));
        var usages = containers.Select(c => (Name: Meta.Text(c["name"]), Usage: Usage($"{uid}/{Meta.Text(c["name"])}/{Meta.Text(c["startTime"])}", c))).ToList();
        return usages.Count == 0 || usages.Any(u => u.Usage is null)
            ? null
            : Object(
                "PodMetrics", Meta.Text(Meta.At(stats, "podRef", "name")), Meta.Text(Meta.At(stats, "podRef", "namespace")), labels, Time(containers[0]), usages.Max(u => u.Usage!.Value.Window),
                ("containers", new JsonArray([.. usages.Select(u => (JsonNode)new JsonObject { ["name"] = u.Name, ["usage"] = u.Usage!.Value.Usage })])));
    }

    private (JsonObject Usage, TimeSpan Window)? Usage(string key, JsonObject stats) => rates.Of(key, stats) is var (cpu, window) && Memory(stats) is { } memory
        ? (new JsonObject
        {
            ["cpu"] = cpu == 0 ? "0" : cpu.ToString(CultureInfo.InvariantCulture) + "n",
            ["memory"] = memory == 0 ? "0" : (memory / 1024).ToString(CultureInfo.InvariantCulture) + "Ki",
        }, window)
        : null;

    private static JsonObject Object(string kind, string name, string ns, JsonNode? labels, string time, TimeSpan window, (string Name, JsonNode Value) content)
    {
        var metadata = new JsonObject { ["name"] = name, ["creationTimestamp"] = time };
        if (ns.Length > 0)
        {
            metadata["namespace"] = ns;
        }

        if (labels is not null)
        {
            metadata["labels"] = labels.DeepClone();
        }

        return new JsonObject
        {
            ["kind"] = kind, ["apiVersion"] = $"{MetricsGroup.Group}/{MetricsGroup.Version}", ["metadata"] = metadata, ["timestamp"] = time, ["window"] = string.Create(CultureInfo.InvariantCulture, $"{window.TotalSeconds:0.###}s"),
            [content.Name] = content.Value,
        };
    }

    private static string Time(JsonObject stats) => Meta.Text(Meta.At(stats, "cpu", "time"));

    private static long? Memory(JsonObject stats) => Meta.At(stats, "memory", "workingSetBytes") is JsonValue v && v.TryGetValue(out long n) ? n : null;
}
