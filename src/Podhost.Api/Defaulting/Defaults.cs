using System.Text.Json.Nodes;

namespace Podhost.Api.Defaulting;

/// <summary>Setting unset fields of JSON objects.</summary>
internal static class Defaults
{
    public static void Set(JsonObject target, string field, string value)
    {
        if (target[field] is null)
        {
            target[field] = value;
        }
    }

    // Strings whose Go type has no pointer: an empty one counts as unset.
    public static void SetText(JsonObject target, string field, string value)
    {
        if (target[field] is null || Text(target, field) == "")
        {
            target[field] = value;
        }
    }

    public static void Set(JsonObject target, string field, long value)
    {
        if (target[field] is null)
        {
            target[field] = value;
        }
    }

    // Numbers whose Go type has no pointer: zero counts as unset.
    public static void SetNumber(JsonObject target, string field, long value)
    {
        if (target[field] is null || (target[field] is JsonValue v && v.TryGetValue<long>(out var n) && n == 0))
        {
            target[field] = value;
        }
    }

    public static void Set(JsonObject target, string field, bool value)
    {
        if (target[field] is null)
        {
            target[field] = value;
        }
    }

    public static string? Text(JsonObject from, string field) => from[field] is JsonValue v && v.TryGetValue<string>(out var s) ? s : null;

    public static JsonObject? Child(JsonObject from, string field) => from[field] as JsonObject;

    public static IEnumerable<JsonObject> Items(JsonObject from, string field) => (from[field] as JsonArray ?? []).OfType<JsonObject>();

    public static JsonObject Ensure(JsonObject from, string field)
    {
        if (from[field] is JsonObject existing)
        {
            return existing;
        }

        var made = new JsonObject();
        from[field] = made;
        return made;
    }
}
