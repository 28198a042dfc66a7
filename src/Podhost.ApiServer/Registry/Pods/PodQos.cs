using System.Text.Json.Nodes;
using Podhost.Api.Quantities;

namespace Podhost.ApiServer.Registry.Pods;

/// <summary>The QoS class of a pod from its requests and limits (already defaulted: a limit without a request is its request).</summary>
/// <remarks>https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/</remarks>
internal static class PodQos
{
    private static readonly string[] Considered = ["cpu", "memory"];

    public static string Of(JsonObject spec)
    {
        var all = spec["resources"] is JsonObject podLevel && (HasAny(podLevel["requests"]) || HasAny(podLevel["limits"]))
            ? [podLevel]
            : Containers(spec).Select(c => c["resources"] as JsonObject ?? []).ToList();
        if (!all.Any(r => HasAny(r["requests"]) || HasAny(r["limits"])))
        {
            return "BestEffort";
        }

        return all.All(IsGuaranteed) ? "Guaranteed" : "Burstable";
    }

    private static IEnumerable<JsonObject> Containers(JsonObject spec) =>
        Of(spec, "containers").Concat(Of(spec, "initContainers"));

    private static IEnumerable<JsonObject> Of(JsonObject spec, string list) =>
        (spec[list] as JsonArray)?.OfType<JsonObject>() ?? [];

    private static bool HasAny(JsonNode? list) => Considered.Any(name => !IsZero(Amount(list, name)));

    private static bool IsGuaranteed(JsonObject resources) => Considered.All(name =>
    {
        var limit = Amount(resources["limits"], name);
        var request = Amount(resources["requests"], name);
        return !IsZero(limit) && (request.Length == 0 || Quantity.Parse(request) == Quantity.Parse(limit));
    });

    private static string Amount(JsonNode? list, string name) => (list as JsonObject)?[name]?.ToString() ?? "";

    private static bool IsZero(string amount) => !Quantity.TryParse(amount, out var quantity) || quantity.IsZero;
}
