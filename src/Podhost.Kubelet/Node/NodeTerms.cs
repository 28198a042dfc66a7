using System.Globalization;
using k8s.Models;

namespace Podhost.Kubelet.Node;

/// <summary>Node selector terms and tolerations, as the API defines them.</summary>
internal static class NodeTerms
{
    /// <summary>All expressions and fields of a term hold; an empty term selects nothing.</summary>
    public static bool Matches(V1NodeSelectorTerm term, V1Node node)
    {
        var labels = node.Metadata.Labels ?? new Dictionary<string, string>();
        var expressions = term.MatchExpressions ?? [];
        var fields = term.MatchFields ?? [];
        return expressions.Count + fields.Count > 0
            && expressions.All(e => Holds(e, labels.TryGetValue(e.Key, out var v) ? v : null))
            && fields.All(f => f.Key == "metadata.name" && Holds(f, node.Metadata.Name));
    }

    public static bool Tolerates(V1Pod pod, V1Taint taint) => (pod.Spec.Tolerations ?? []).Any(t =>
        (string.IsNullOrEmpty(t.Effect) || t.Effect == taint.Effect)
        && (string.IsNullOrEmpty(t.Key) || t.Key == taint.Key)
        && (t.OperatorProperty == "Exists" || (!string.IsNullOrEmpty(t.Key) && (t.Value ?? "") == (taint.Value ?? ""))));

    private static bool Holds(V1NodeSelectorRequirement r, string? value) => r.OperatorProperty switch
    {
        "In" => value is not null && r.Values?.Contains(value) == true,
        "NotIn" => value is null || r.Values?.Contains(value) != true,
        "Exists" => value is not null,
        "DoesNotExist" => value is null,
        "Gt" => Number(value) is { } a && Number(r.Values?.FirstOrDefault()) is { } b && a > b,
        "Lt" => Number(value) is { } a && Number(r.Values?.FirstOrDefault()) is { } b && a < b,
        _ => false,
    };

    private static long? Number(string? text) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) ? n : null;
}
