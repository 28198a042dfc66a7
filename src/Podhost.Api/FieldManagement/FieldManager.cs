using System.Text.Json.Nodes;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.Api.Schema;

namespace Podhost.Api.FieldManagement;

/// <summary>Server-side apply and the tracking of who owns which field (metadata.managedFields).</summary>
/// <remarks>The rules are those of sigs.k8s.io/structured-merge-diff and of apimachinery's managedfields package.</remarks>
public static class FieldManager
{
    private const string BeforeFirstApply = "before-first-apply";

    /// <summary>Applies a configuration. Returns the new object with its managedFields; the arguments stay as they are.</summary>
    /// <remarks>
    /// A repeated apply of the same configuration returns an object equal to <paramref name="live"/>, times included, so that the
    /// caller can leave the write out. The result is not defaulted.
    /// </remarks>
    /// <param name="resource">The resource.</param>
    /// <param name="live">The stored object with its managedFields, or null where it is created.</param>
    /// <param name="applied">The configuration that the manager wants.</param>
    /// <param name="manager">Name of the field manager.</param>
    /// <param name="force">True to take fields from other managers.</param>
    /// <param name="now">Time of the entry.</param>
    /// <param name="subresource">The subresource that is written, or null.</param>
    /// <exception cref="ApiException">
    /// 409 with a cause FieldManagerConflict a field; 400 where managedFields are sent, where a field is not in the schema, or where
    /// items of a list share or lack their key.
    /// </exception>
    public static JsonObject Apply(
        ResourceInfo resource, JsonObject? live, JsonObject applied, string manager, bool force, DateTimeOffset now, string? subresource = null)
    {
        CheckApplied(resource, applied);
        var scope = SchemaScope.Of(resource.Schema);
        var ownership = new FieldOwnership(scope, UntrackedFields.ResetBy(resource, subresource));
        var config = (JsonObject)Compact(applied)!;
        var managed = ReadTracked(resource, live, ownership, now);
        var current = live is null ? [] : WithoutManagedFields(live);

        var key = ManagerKey.Applier(manager, subresource);
        var last = managed.Managers.GetValueOrDefault(key)?.Set;
        var set = ownership.SetOf(config, strict: true);
        var next = managed.With(key, new ManagerState(set, resource.ApiVersion, now));
        var result = ownership.Merge(current, config, next, last);

        var change = ownership.Compare(current, result);
        next = ownership.Reassign(next, change, key, out var conflicts);
        if (conflicts.Count > 0 && !force && !IsHandOver(manager, live, conflicts, ownership))
        {
            throw ApplyConflict.Make(conflicts);
        }

        if (live is not null && change.IsSame && IsSameSet(last, set))
        {
            return (JsonObject)live.DeepClone();
        }

        if (manager == LastApplied.Manager)
        {
            LastApplied.Renew(result, config);
        }

        return WithManagedFields(result, ManagerCap.Apply(next));
    }

    /// <summary>Records a create, update or patch. Returns the updated object with its managedFields; the arguments stay as they are.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="live">The stored object with its managedFields, or null where it is created.</param>
    /// <param name="updated">The object as it will be stored.</param>
    /// <param name="manager">Name of the field manager.</param>
    /// <param name="subresource">The subresource that is written, or null.</param>
    /// <param name="now">Time of the entry.</param>
    public static JsonObject Update(
        ResourceInfo resource, JsonObject? live, JsonObject updated, string manager, string? subresource, DateTimeOffset now)
    {
        var type = resource.Schema;
        var ownership = new FieldOwnership(SchemaScope.Of(type), UntrackedFields.ResetBy(resource, subresource));
        var managed = ReadOfRequest(live, updated, subresource);
        var result = WithoutManagedFields(updated);
        if (managed.IsEmpty && live is not null)
        {
            return result; // Tracking was reset; it starts again with the first apply.
        }

        var change = ownership.Compare(live is null ? EmptyObject.Of(type) : WithoutManagedFields(live), result);
        managed = ownership.Reassign(managed, change, null, out _);
        var taken = change.Changed.Difference(UntrackedFields.ServerSet);
        if (!taken.IsEmpty)
        {
            var key = ManagerKey.Updater(manager, resource.ApiVersion, subresource);
            var previous = managed.Managers.GetValueOrDefault(key)?.Set ?? FieldSet.Empty;
            managed = ManagerCap.Apply(managed.With(key, new ManagerState(previous.Union(taken), resource.ApiVersion, now)));
        }

        return WithManagedFields(result, managed);
    }

    private static bool IsSameSet(FieldSet? last, FieldSet set) =>
        (last ?? FieldSet.Empty).SameAs(set.Difference(UntrackedFields.ServerSet));

    private static void CheckApplied(ResourceInfo resource, JsonObject applied)
    {
        if (applied["metadata"]?["managedFields"] is JsonArray { Count: > 0 })
        {
            throw ApiException.BadRequest("metadata.managedFields must be nil");
        }

        if (applied["apiVersion"]?.ToString() is { } version && version != resource.ApiVersion)
        {
            throw ApiException.BadRequest(
                $"Incorrect version specified in apply patch. Specified patch version: {version}, expected: {resource.ApiVersion}");
        }
    }

    // An object that was never tracked is owned by a manager of this name before the first apply to it.
    private static ManagedFields ReadTracked(ResourceInfo resource, JsonObject? live, FieldOwnership ownership, DateTimeOffset now)
    {
        if (live is null)
        {
            return ManagedFields.Empty;
        }

        var managed = ManagedFields.Read(live["metadata"]?["managedFields"] as JsonArray) ?? ManagedFields.Empty;
        return managed.IsEmpty
            ? managed.With(
                ManagerKey.Updater(BeforeFirstApply, resource.ApiVersion, null),
                new ManagerState(ownership.SetOf(WithoutManagedFields(live), strict: false), resource.ApiVersion, now))
            : managed;
    }

    /// <summary>
    /// A write may carry managedFields: an empty list, or a list with one empty entry, resets the tracking. What cannot be read is ignored,
    /// so that clients which do not know the field do no harm. Subresources cannot change it.
    /// </summary>
    private static ManagedFields ReadOfRequest(JsonObject? live, JsonObject updated, string? subresource)
    {
        var stored = ManagedFields.Read(live?["metadata"]?["managedFields"] as JsonArray) ?? ManagedFields.Empty;
        if (subresource is not null || updated["metadata"]?["managedFields"] is not JsonArray sent)
        {
            return stored;
        }

        if (sent is [] or [JsonObject { Count: 0 }])
        {
            return ManagedFields.Empty;
        }

        return ManagedFields.Read(sent) is { IsEmpty: false } given ? given : stored;
    }

    private static bool IsHandOver(
        string manager, JsonObject? live, Dictionary<ManagerKey, FieldSet> conflicts, FieldOwnership ownership) =>
        manager == LastApplied.Manager && live is not null
        && LastApplied.OwnedBy(live, ownership) is var owned && conflicts.Values.All(c => c.Difference(owned).IsEmpty);

    private static JsonObject WithoutManagedFields(JsonObject obj)
    {
        var copy = (JsonObject)obj.DeepClone();
        (copy["metadata"] as JsonObject)?.Remove("managedFields");
        return copy;
    }

    private static JsonObject WithManagedFields(JsonObject obj, ManagedFields managed)
    {
        if (managed.Select((_, set) => set.Difference(UntrackedFields.ServerSet)).Write() is { } entries)
        {
            (obj["metadata"] ??= new JsonObject())["managedFields"] = entries;
        }

        return obj;
    }

    // A null of a configuration is a field that is not set.
    private static JsonNode? Compact(JsonNode? node) => node switch
    {
        JsonObject obj => new JsonObject(obj.Where(p => p.Value is not null).Select(p => KeyValuePair.Create(p.Key, Compact(p.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Compact)]),
        _ => node?.DeepClone(),
    };
}
