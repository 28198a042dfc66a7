using System.Globalization;
using System.Text.Json.Nodes;

namespace Podhost.Api.FieldManagement;

/// <summary>What one manager owns, since when, and through which version of the API.</summary>
internal sealed record ManagerState(FieldSet Set, string ApiVersion, DateTimeOffset Time);

/// <summary>metadata.managedFields as a map. Immutable.</summary>
internal sealed class ManagedFields
{
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";
    public static readonly ManagedFields Empty = new([]);

    private readonly Dictionary<ManagerKey, ManagerState> managers;

    private ManagedFields(Dictionary<ManagerKey, ManagerState> managers) => this.managers = managers;

    public IReadOnlyDictionary<ManagerKey, ManagerState> Managers => managers;

    public bool IsEmpty => managers.Count == 0;

    /// <summary>Reads the entries; null where one of them is malformed.</summary>
    public static ManagedFields? Read(JsonArray? entries)
    {
        var managers = new Dictionary<ManagerKey, ManagerState>();
        foreach (var entry in entries ?? [])
        {
            if (entry is not JsonObject obj || Text(obj, "fieldsType") is not ("FieldsV1" or "") || FieldsV1.Read(obj["fieldsV1"] as JsonObject) is not { } set)
            {
                return null;
            }

            var (operation, version) = (Text(obj, "operation"), Text(obj, "apiVersion"));
            if (operation is not (ManagerKey.ApplyOperation or ManagerKey.UpdateOperation))
            {
                return null;
            }

            var key = new ManagerKey(Text(obj, "manager"), operation, operation == ManagerKey.ApplyOperation ? "" : version, Text(obj, "subresource"));
            var time = DateTimeOffset.TryParse(Text(obj, "time"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var t) ? t : default;
            managers[key] = new ManagerState(set, version, time);
        }

        return new ManagedFields(managers);
    }

    /// <summary>The entries in upstream's order: appliers first, then by time and name; null where there are none.</summary>
    public JsonArray? Write()
    {
        var entries = managers
            .OrderBy(m => m.Key.Operation, StringComparer.Ordinal)
            .ThenBy(m => m.Value.Time.ToUnixTimeSeconds())
            .ThenBy(m => m.Key.Manager, StringComparer.Ordinal)
            .ThenBy(m => m.Value.ApiVersion, StringComparer.Ordinal)
            .ThenBy(m => m.Key.Subresource, StringComparer.Ordinal)
            .Select(m => (JsonNode)WriteEntry(m.Key, m.Value));
        return managers.Count == 0 ? null : new JsonArray([.. entries]);
    }

    /// <summary>A copy with one manager set, or left out where it owns nothing.</summary>
    public ManagedFields With(ManagerKey key, ManagerState state)
    {
        var copy = new Dictionary<ManagerKey, ManagerState>(managers) { [key] = state };
        return new ManagedFields(copy).WithoutEmpty();
    }

    public ManagedFields Without(IEnumerable<ManagerKey> keys)
    {
        var copy = new Dictionary<ManagerKey, ManagerState>(managers);
        foreach (var key in keys)
        {
            copy.Remove(key);
        }

        return new ManagedFields(copy);
    }

    /// <summary>A copy in which each set is changed.</summary>
    public ManagedFields Select(Func<ManagerKey, FieldSet, FieldSet> change) =>
        new ManagedFields(managers.ToDictionary(m => m.Key, m => m.Value with { Set = change(m.Key, m.Value.Set) })).WithoutEmpty();

    private ManagedFields WithoutEmpty() => new(managers.Where(m => !m.Value.Set.IsEmpty).ToDictionary());

    private static JsonObject WriteEntry(ManagerKey key, ManagerState state)
    {
        var entry = new JsonObject
        {
            ["apiVersion"] = state.ApiVersion,
            ["fieldsType"] = "FieldsV1",
            ["fieldsV1"] = FieldsV1.Write(state.Set),
            ["manager"] = key.Manager,
            ["operation"] = key.Operation,
        };
        if (key.Subresource.Length > 0)
        {
            entry["subresource"] = key.Subresource;
        }

        if (state.Time != default)
        {
            entry["time"] = state.Time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);
        }

        return entry;
    }

    private static string Text(JsonObject obj, string name) => obj[name] is JsonValue v && v.TryGetValue(out string? s) ? s : "";
}
