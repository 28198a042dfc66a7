using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Podhost.Api.CustomResources;

/// <summary>
/// JSONPath as printer columns use it: fields, indices, slices, unions, <c>*</c>, recursive descent and filters that compare one field with
/// a constant. A path that leaves what is there finds nothing.
/// </summary>
/// <remarks>https://kubernetes.io/docs/reference/kubectl/jsonpath/</remarks>
public sealed class JsonPathQuery
{
    // Recursive descent multiplies what is found; more than this no column shows.
    private const int MaxResults = 1_000;

    private readonly IReadOnlyList<Func<JsonNode?, IEnumerable<JsonNode?>>> steps;

    private JsonPathQuery(IReadOnlyList<Func<JsonNode?, IEnumerable<JsonNode?>>> steps) => this.steps = steps;

    /// <summary>Reads a path such as <c>.status.conditions[?(@.type=="Ready")].status</c>.</summary>
    /// <exception cref="FormatException">It cannot be read.</exception>
    public static JsonPathQuery Parse(string text) => new(new JsonPathReader(text).Read());

    /// <summary>All values that the path leads to, in order.</summary>
    public IReadOnlyList<JsonNode?> Find(JsonNode? root) =>
        steps.Aggregate((IReadOnlyList<JsonNode?>)[root], (found, step) => [.. found.SelectMany(step).Take(MaxResults)]);

    internal static IEnumerable<JsonNode?> Member(JsonNode? node, string name) =>
        node is JsonObject obj && obj.TryGetPropertyValue(name, out var value) ? [value] : [];

    internal static IEnumerable<JsonNode?> All(JsonNode? node) => node switch
    {
        JsonObject obj => obj.Select(p => p.Value),
        JsonArray list => list,
        _ => [],
    };

    internal static IEnumerable<JsonNode?> Descend(JsonNode? node) =>
        All(node).SelectMany(Descend).Prepend(node).Take(MaxResults);

    internal static IEnumerable<JsonNode?> Slice(JsonNode? node, int? from, int? to, int step)
    {
        if (node is not JsonArray list || step <= 0)
        {
            yield break;
        }

        var (start, end) = (Place(from ?? 0, list.Count), Place(to ?? list.Count, list.Count));
        for (var i = Math.Max(start, 0); i < Math.Min(end, list.Count); i += step)
        {
            yield return list[i];
        }
    }

    internal static IEnumerable<JsonNode?> Index(JsonNode? node, int index) =>
        node is JsonArray list && Place(index, list.Count) is var i && i >= 0 && i < list.Count ? [list[i]] : [];

    internal static bool Compare(JsonNode? left, string op, JsonNode? right) => op switch
    {
        "==" => Equal(left, right),
        "!=" => !Equal(left, right),
        _ => Order(left, right) is { } order && op switch { "<" => order < 0, "<=" => order <= 0, ">" => order > 0, _ => order >= 0 },
    };

    private static int Place(int index, int count) => index < 0 ? index + count : index;

    private static bool Equal(JsonNode? left, JsonNode? right) =>
        left is JsonValue l && right is JsonValue r && (JsonNode.DeepEquals(l, r) || Order(l, r) == 0);

    private static int? Order(JsonNode? left, JsonNode? right)
    {
        if (left is not JsonValue l || right is not JsonValue r || l.GetValueKind() != r.GetValueKind())
        {
            return null;
        }

        return l.GetValueKind() switch
        {
            JsonValueKind.Number => JsonNumbers.ToDouble(l).CompareTo(JsonNumbers.ToDouble(r)),
            JsonValueKind.String => string.CompareOrdinal(l.GetValue<string>(), r.GetValue<string>()),
            _ => null,
        };
    }

    internal static JsonNode? Constant(string text)
    {
        if (text.Length >= 2 && text[0] is '"' or '\'' && text[^1] == text[0])
        {
            return text[1..^1];
        }

        return text switch
        {
            "true" => true,
            "false" => false,
            _ => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number
                : throw new FormatException($"unrecognized constant {text}"),
        };
    }
}
