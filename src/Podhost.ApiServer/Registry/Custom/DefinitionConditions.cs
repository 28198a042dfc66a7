using System.Text.Json.Nodes;

namespace Podhost.ApiServer.Registry.Custom;

/// <summary>Conditions of a definition.</summary>
internal static class DefinitionConditions
{
    /// <summary>Sets a condition; the time of its transition changes with its status only.</summary>
    public static void Set(JsonObject definition, string type, string status, string reason, string message, DateTimeOffset now)
    {
        var holder = Meta.Child(definition, "status");
        if (holder["conditions"] is not JsonArray conditions)
        {
            holder["conditions"] = conditions = [];
        }

        var condition = conditions.OfType<JsonObject>().FirstOrDefault(c => Meta.Text(c["type"]) == type);
        if (condition is null)
        {
            condition = new JsonObject { ["type"] = type };
            conditions.Add((JsonNode)condition);
        }

        if (Meta.Text(condition["status"]) != status)
        {
            condition["lastTransitionTime"] = Meta.Time(now);
        }

        condition["status"] = status;
        condition["reason"] = reason;
        condition["message"] = message;
    }

    /// <summary>A condition's status, or empty.</summary>
    public static string StatusOf(JsonObject definition, string type) =>
        Meta.Text((Meta.At(definition, "status", "conditions") as JsonArray ?? []).OfType<JsonObject>()
            .FirstOrDefault(c => Meta.Text(c["type"]) == type)?["status"]);
}
