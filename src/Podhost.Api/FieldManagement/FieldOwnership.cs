using System.Text.Json.Nodes;
using Podhost.Api.Schema;

namespace Podhost.Api.FieldManagement;

/// <summary>The rules of structured merge: what a write does to the object and to the ownership of its fields.</summary>
internal sealed class FieldOwnership(SchemaScope scope, FieldSet reset)
{
    /// <summary>Takes away from all managers what the write removed, and from the others what it changed.</summary>
    /// <param name="managed">The ownership before.</param>
    /// <param name="change">What the write changes.</param>
    /// <param name="writer">The manager that writes, or null where it is recorded afterwards.</param>
    /// <param name="conflicts">What the write takes from others.</param>
    public ManagedFields Reassign(
        ManagedFields managed, ObjectComparison change, ManagerKey? writer, out Dictionary<ManagerKey, FieldSet> conflicts)
    {
        var taken = managed.Managers
            .Where(m => m.Key != writer)
            .Select(m => KeyValuePair.Create(m.Key, m.Value.Set.Intersection(change.Changed)))
            .Where(c => !c.Value.IsEmpty)
            .ToDictionary();
        conflicts = taken;
        return managed.Select((key, set) =>
            key == writer ? set : set.Difference(taken.GetValueOrDefault(key, FieldSet.Empty)).Difference(change.Removed));
    }

    /// <summary>Lays a configuration over the live object, and takes out what the manager applied before and does not apply now.</summary>
    public JsonObject Merge(JsonObject live, JsonObject config, ManagedFields managed, FieldSet? last)
    {
        var merged = (JsonObject)ObjectMerge.Merge(scope, live, config)!;
        if (last is null || last.IsEmpty)
        {
            return merged;
        }

        var lastNamed = NamedFields.Add(last, scope);
        var pruned = ItemRemoval.Remove(scope, merged, lastNamed);
        var owned = managed.Managers.Where(m => m.Key.IsApplier).Aggregate(FieldSet.Empty, (set, m) => set.Union(m.Value.Set));
        var all = NamedSetOf(merged);

        // What another applier owns comes back, and so does what the manager never owned (an updater's field inside its item).
        pruned = ItemRemoval.Remove(scope, merged, all.Difference(NamedSetOf(pruned).Union(NamedFields.Add(owned, scope))));
        return (JsonObject?)ItemRemoval.Remove(scope, merged, all.Difference(NamedSetOf(pruned)).Intersection(lastNamed)) ?? [];
    }

    public ObjectComparison Compare(JsonObject left, JsonObject right) => ObjectComparison.Compare(scope, left, right).Without(reset);

    /// <summary>The fields that a configuration sets, untracked ones included: pruning must not take the object's name away.</summary>
    public FieldSet SetOf(JsonObject config, bool strict) =>
        FieldSetBuilder.Build(scope, config, strict: strict).RecursiveDifference(reset);

    private FieldSet NamedSetOf(JsonNode? value) =>
        value is null ? FieldSet.Empty : NamedFields.Add(FieldSetBuilder.Build(scope, value), scope);
}
