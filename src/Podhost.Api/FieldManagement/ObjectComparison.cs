using System.Text.Json.Nodes;
using Podhost.Api.Schema;

namespace Podhost.Api.FieldManagement;

/// <summary>Which paths one object has more, fewer and other than another.</summary>
internal sealed record ObjectComparison(FieldSet Added, FieldSet Modified, FieldSet Removed)
{
    private static readonly ObjectComparison Same = new(FieldSet.Empty, FieldSet.Empty, FieldSet.Empty);
    private static readonly JsonNode Absent = new JsonObject();

    public bool IsSame => Added.IsEmpty && Modified.IsEmpty && Removed.IsEmpty;

    public FieldSet Changed => Modified.Union(Added);

    public static ObjectComparison Compare(SchemaScope scope, JsonObject left, JsonObject right) => Walk(scope, left, right, "");

    public ObjectComparison Without(FieldSet ignored) => new(
        Added.RecursiveDifference(ignored), Modified.RecursiveDifference(ignored), Removed.RecursiveDifference(ignored));

    // An absent side is Absent; null is a JSON null, which is there but empty.
    private static ObjectComparison Walk(SchemaScope scope, JsonNode? left, JsonNode? right, string path)
    {
        var (l, r) = (ValueOf(left), ValueOf(right));
        var bothEmpty = IsEmpty(l) && IsEmpty(r);
        var granularity = bothEmpty ? Granularity.Leaf : MergeRules.Of(scope, l, r);
        if (granularity == Granularity.Leaf)
        {
            return Leaf(left, right);
        }

        var result = granularity == Granularity.Members
            ? WalkMembers(scope, l as JsonObject ?? [], r as JsonObject ?? [], path)
            : WalkItems(scope, l as JsonArray ?? [], r as JsonArray ?? [], path);
        return ReferenceEquals(left, Absent) ? result with { Added = result.Added.AsMember() }
            : ReferenceEquals(right, Absent) ? result with { Removed = result.Removed.AsMember() }
            : result;
    }

    private static ObjectComparison Leaf(JsonNode? left, JsonNode? right)
    {
        if (ReferenceEquals(left, Absent))
        {
            return Same with { Added = FieldSet.Member };
        }

        if (ReferenceEquals(right, Absent))
        {
            return Same with { Removed = FieldSet.Member };
        }

        return JsonNode.DeepEquals(left, right) ? Same : Same with { Modified = FieldSet.Member };
    }

    private static ObjectComparison WalkMembers(SchemaScope scope, JsonObject left, JsonObject right, string path)
    {
        var names = left.Select(p => p.Key).Union(right.Select(p => p.Key), StringComparer.Ordinal);
        return Combine(names.Select(name => (
            PathStep.Field(name),
            Walk(scope.Member(name), Get(left, name), Get(right, name), path + "." + name))));
    }

    // Live objects may hold items of the same key (a container's env): these are compared as one.
    private static ObjectComparison WalkItems(SchemaScope scope, JsonArray left, JsonArray right, string path)
    {
        var l = left.ToLookup(i => PathStep.Item(scope, i, path));
        var r = right.ToLookup(i => PathStep.Item(scope, i, path));
        var steps = l.Select(g => g.Key).Union(r.Select(g => g.Key), StringComparer.Ordinal);
        return Combine(steps.Select(step =>
        {
            var (a, b) = (l[step].ToList(), r[step].ToList());
            var comparison = a.Count <= 1 && b.Count <= 1
                ? Walk(scope.Item(), a.Count == 0 ? Absent : a[0], b.Count == 0 ? Absent : b[0], path + PathStep.Print(step))
                : Duplicates(a, b);
            return (step, comparison);
        }));
    }

    private static ObjectComparison Duplicates(List<JsonNode?> left, List<JsonNode?> right) =>
        left.Count == 0 ? Same with { Added = FieldSet.Member }
        : right.Count == 0 ? Same with { Removed = FieldSet.Member }
        : left.Count == right.Count && left.Zip(right).All(p => JsonNode.DeepEquals(p.First, p.Second)) ? Same
        : Same with { Modified = FieldSet.Member };

    private static ObjectComparison Combine(IEnumerable<(string Step, ObjectComparison Value)> parts)
    {
        var changed = parts.Where(p => !p.Value.IsSame).ToList();
        return changed.Count == 0 ? Same : new ObjectComparison(
            FieldSet.Of(false, changed.Select(p => KeyValuePair.Create(p.Step, p.Value.Added))),
            FieldSet.Of(false, changed.Select(p => KeyValuePair.Create(p.Step, p.Value.Modified))),
            FieldSet.Of(false, changed.Select(p => KeyValuePair.Create(p.Step, p.Value.Removed))));
    }

    private static JsonNode? Get(JsonObject obj, string name) => obj.TryGetPropertyValue(name, out var value) ? value : Absent;

    private static JsonNode? ValueOf(JsonNode? node) => ReferenceEquals(node, Absent) ? null : node;

    private static bool IsEmpty(JsonNode? node) => node is null or JsonObject { Count: 0 } or JsonArray { Count: 0 };
}
