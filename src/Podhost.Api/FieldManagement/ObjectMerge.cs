using System.Text.Json.Nodes;
using Podhost.Api.Schema;

namespace Podhost.Api.FieldManagement;

/// <summary>Lays a configuration over an object.</summary>
internal static class ObjectMerge
{
    /// <summary>A new value: what the configuration says, and the rest of the live value.</summary>
    public static JsonNode? Merge(SchemaScope scope, JsonNode? live, JsonNode? config) => MergeRules.Of(scope, live, config) switch
    {
        Granularity.Members when live is JsonObject l && config is JsonObject c => MergeMembers(scope, l, c),
        Granularity.Items when live is JsonArray l && config is JsonArray c => MergeItems(scope, l, c),
        _ => config?.DeepClone(),
    };

    private static JsonObject MergeMembers(SchemaScope scope, JsonObject live, JsonObject config)
    {
        var result = new JsonObject();
        foreach (var (name, value) in live)
        {
            result[name] = config.TryGetPropertyValue(name, out var wanted) ? Merge(scope.Member(name), value, wanted) : value?.DeepClone();
        }

        foreach (var (name, value) in config.Where(p => !live.ContainsKey(p.Key)))
        {
            result[name] = value?.DeepClone();
        }

        return result;
    }

    /// <remarks>
    /// Items of the configuration keep its order, other items keep theirs; where both could come next, an item that only the live list
    /// has comes first.
    /// </remarks>
    private static JsonArray MergeItems(SchemaScope scope, JsonArray live, JsonArray config)
    {
        var liveItems = Keyed(scope, live);
        var wanted = new Queue<(string Step, JsonNode? Item)>(Keyed(scope, config));
        var steps = wanted.Select(w => w.Step).ToHashSet(StringComparer.Ordinal);
        var byStep = liveItems.ToLookup(i => i.Step, i => i.Item, StringComparer.Ordinal);
        var placed = new HashSet<string>(StringComparer.Ordinal);
        var result = new JsonArray();

        void PlaceNextWanted()
        {
            var (step, item) = wanted.Dequeue();
            placed.Add(step);
            result.Add(byStep.Contains(step) ? Merge(scope.Item(), byStep[step].First(), item) : item?.DeepClone());
        }

        foreach (var (step, item) in liveItems)
        {
            if (!steps.Contains(step))
            {
                result.Add(item?.DeepClone());
                continue;
            }

            while (!placed.Contains(step))
            {
                PlaceNextWanted();
            }
        }

        while (wanted.Count > 0)
        {
            PlaceNextWanted();
        }

        return result;
    }

    private static List<(string Step, JsonNode? Item)> Keyed(SchemaScope scope, JsonArray list) =>
        [.. list.Select(i => (PathStep.Item(scope, i, "." + scope.Field!.Name), i))];
}
