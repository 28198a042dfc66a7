using System.Text.Json.Nodes;

namespace Podhost.ApiServer.Registry.Pods;

/// <summary>
/// matchLabelKeys and mismatchLabelKeys of a new pod's affinity terms and spread constraints: what its own labels say is written into the selectors beside
/// them, so that everybody who reads a selector reads all of it. Source: upstream's applyMatchLabelKeysAndMismatchLabelKeys and its like for spread constraints.
/// </summary>
internal static class LabelKeys
{
    /// <summary>Completes the selectors of a pod. In place.</summary>
    public static void Merge(JsonObject pod)
    {
        if (Meta.Of(pod)["labels"] is not JsonObject labels)
        {
            return;
        }

        foreach (var kind in (ReadOnlySpan<string>)["podAffinity", "podAntiAffinity"])
        {
            foreach (var term in Items(Meta.At(pod, "spec", "affinity", kind, "requiredDuringSchedulingIgnoredDuringExecution")))
            {
                MergeTerm(term, labels);
            }

            foreach (var weighted in Items(Meta.At(pod, "spec", "affinity", kind, "preferredDuringSchedulingIgnoredDuringExecution")))
            {
                MergeTerm(weighted["podAffinityTerm"] as JsonObject, labels);
            }
        }

        foreach (var constraint in Items(Meta.At(pod, "spec", "topologySpreadConstraints")))
        {
            Merge(constraint, "matchLabelKeys", "In", labels);
        }
    }

    private static IEnumerable<JsonObject> Items(JsonNode? list) => (list as JsonArray ?? []).OfType<JsonObject>();

    private static void MergeTerm(JsonObject? term, JsonObject labels)
    {
        if (term is not null)
        {
            Merge(term, "matchLabelKeys", "In", labels);
            Merge(term, "mismatchLabelKeys", "NotIn", labels);
        }
    }

    private static void Merge(JsonObject from, string field, string matching, JsonObject labels)
    {
        if (from["labelSelector"] is not JsonObject selector || from[field] is not JsonArray keys)
        {
            return;
        }

        foreach (var key in keys.Select(Meta.Text).Where(k => labels[k] is not null))
        {
            if (selector["matchExpressions"] is not JsonArray expressions)
            {
                selector["matchExpressions"] = expressions = [];
            }

            expressions.Add((JsonNode)new JsonObject { ["key"] = key, ["operator"] = matching, ["values"] = new JsonArray(labels[key]!.DeepClone()) });
        }
    }
}
