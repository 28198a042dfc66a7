using System.Text.Json.Nodes;

namespace Podhost.ApiServer.Metrics;

/// <summary>metrics.k8s.io/v1beta1 in discovery. Upstream has it from an aggregated server (metrics-server); here it is built in.</summary>
internal static class MetricsGroup
{
    public const string Group = "metrics.k8s.io";
    public const string Version = "v1beta1";
    private static readonly (string Resource, string Kind, bool Namespaced)[] Resources = [("nodes", "NodeMetrics", false), ("pods", "PodMetrics", true)];

    /// <summary>Its entry in the list of groups.</summary>
    public static JsonObject Entry() => new()
    {
        ["name"] = Group,
        ["versions"] = new JsonArray(new JsonObject { ["groupVersion"] = $"{Group}/{Version}", ["version"] = Version }),
        ["preferredVersion"] = new JsonObject { ["groupVersion"] = $"{Group}/{Version}", ["version"] = Version },
    };

    /// <summary>Its APIResourceList.</summary>
    public static JsonObject ResourceList() => new()
    {
        ["kind"] = "APIResourceList",
        ["apiVersion"] = "v1",
        ["groupVersion"] = $"{Group}/{Version}",
        ["resources"] = new JsonArray([.. Resources.Select(r => (JsonNode)new JsonObject
        {
            ["name"] = r.Resource, ["singularName"] = "", ["namespaced"] = r.Namespaced, ["kind"] = r.Kind, ["verbs"] = new JsonArray("get", "list"),
        })]),
    };

    /// <summary>Its entry in the aggregated document.</summary>
    public static JsonObject Aggregated() => new()
    {
        ["metadata"] = new JsonObject { ["name"] = Group, ["creationTimestamp"] = null },
        ["versions"] = new JsonArray(new JsonObject
        {
            ["version"] = Version,
            ["resources"] = new JsonArray([.. Resources.Select(r => (JsonNode)new JsonObject
            {
                ["resource"] = r.Resource,
                ["responseKind"] = new JsonObject { ["group"] = Group, ["version"] = Version, ["kind"] = r.Kind },
                ["scope"] = r.Namespaced ? "Namespaced" : "Cluster",
                ["singularResource"] = "",
                ["verbs"] = new JsonArray("get", "list"),
            })]),
            ["freshness"] = "Current",
        }),
    };
}
