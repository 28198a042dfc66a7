using System.Text.Json.Nodes;
using k8s.Models;

namespace Podhost.Api.Selectors;

/// <summary>A selector over labels.</summary>
public sealed class LabelSelector
{
    private LabelSelector(IReadOnlyList<LabelRequirement> requirements, bool matchesNothing = false)
    {
        Requirements = [.. requirements.OrderBy(r => r.Key, StringComparer.Ordinal)];
        MatchesNothing = matchesNothing;
    }

    /// <summary>Selects everything.</summary>
    public static LabelSelector Everything { get; } = new([]);

    /// <summary>Selects nothing.</summary>
    public static LabelSelector Nothing { get; } = new([], matchesNothing: true);

    /// <summary>The requirements, all of which must hold, by key.</summary>
    public IReadOnlyList<LabelRequirement> Requirements { get; }

    /// <summary>True where nothing is selected, whatever the labels.</summary>
    public bool MatchesNothing { get; }

    /// <summary>True where everything is selected.</summary>
    public bool IsEmpty => !MatchesNothing && Requirements.Count == 0;

    /// <summary>Parses the string form, for example <c>app=web,tier in (a, b),!old</c>.</summary>
    /// <exception cref="FormatException">It cannot be parsed; the message is upstream's.</exception>
    public static LabelSelector Parse(string selector)
    {
        var requirements = new LabelSelectorParser(selector).Parse();
        return requirements.Count == 0 ? Everything : new LabelSelector(requirements);
    }

    /// <summary>The selector of a LabelSelector object; null selects nothing, an empty object everything.</summary>
    /// <exception cref="FormatException">An unknown operator, or values that do not fit it.</exception>
    public static LabelSelector FromObject(JsonObject? selector)
    {
        if (selector is null)
        {
            return Nothing;
        }

        var requirements = new List<LabelRequirement>();
        foreach (var (key, value) in selector["matchLabels"] as JsonObject ?? [])
        {
            requirements.Add(new LabelRequirement(key, LabelOperator.In, [Text(value)]));
        }

        foreach (var expression in selector["matchExpressions"] as JsonArray ?? [])
        {
            requirements.Add(FromExpression(expression as JsonObject ?? []));
        }

        return new LabelSelector(requirements);
    }

    /// <summary>The selector of a LabelSelector model; null selects nothing, an empty one everything.</summary>
    /// <exception cref="FormatException">An unknown operator, or values that do not fit it.</exception>
    public static LabelSelector FromModel(V1LabelSelector? selector) => selector is null
        ? Nothing
        : new LabelSelector(
        [
            .. (selector.MatchLabels ?? new Dictionary<string, string>()).Select(l => new LabelRequirement(l.Key, LabelOperator.In, [l.Value])),
            .. (selector.MatchExpressions ?? []).Select(e => new LabelRequirement(e.Key, OperatorOf(e.OperatorProperty), [.. e.Values ?? []])),
        ]);

    /// <summary>The selector of a plain map (a Service's spec.selector).</summary>
    /// <exception cref="FormatException">A key or value is no label.</exception>
    public static LabelSelector FromMap(IReadOnlyDictionary<string, string> labels) =>
        new([.. labels.Select(l => new LabelRequirement(l.Key, LabelOperator.In, [l.Value]))]);

    /// <summary>True where the labels satisfy every requirement.</summary>
    public bool Matches(IReadOnlyDictionary<string, string>? labels) =>
        !MatchesNothing && Requirements.All(r => r.Matches(labels?.GetValueOrDefault(r.Key)));

    /// <summary>True where an object's labels satisfy every requirement.</summary>
    public bool Selects(V1ObjectMeta metadata) => Matches(key => metadata.Labels?.TryGetValue(key, out var value) == true ? value : null);

    /// <summary>True where labels that are looked up by key (null: absent) satisfy every requirement.</summary>
    public bool Matches(Func<string, string?> labelOf) => !MatchesNothing && Requirements.All(r => r.Matches(labelOf(r.Key)));

    /// <summary>True where the labels (metadata.labels as JSON) satisfy every requirement.</summary>
    public bool Matches(JsonObject? labels) =>
        !MatchesNothing && Requirements.All(r => r.Matches(labels?[r.Key] is JsonValue v && v.TryGetValue(out string? s) ? s : null));

    /// <summary>The string form; empty for a selector of everything and of nothing.</summary>
    public override string ToString() => string.Join(',', Requirements);

    private static LabelRequirement FromExpression(JsonObject expression) =>
        new(Text(expression["key"]), OperatorOf(Text(expression["operator"])), [.. (expression["values"] as JsonArray ?? []).Select(Text)]);

    private static LabelOperator OperatorOf(string name) => name switch
    {
        "In" => LabelOperator.In,
        "NotIn" => LabelOperator.NotIn,
        "Exists" => LabelOperator.Exists,
        "DoesNotExist" => LabelOperator.DoesNotExist,
        _ => throw new FormatException($"\"{name}\" is not a valid label selector operator"),
    };

    private static string Text(JsonNode? node) => node is JsonValue v && v.TryGetValue(out string? s) ? s : "";
}
