using System.Text.Json.Nodes;

namespace Podhost.ApiServer.Registry.Pods;

/// <summary>status.conditions of a pod.</summary>
internal static class PodConditions
{
    /// <summary>Sets a condition; its transition time changes only where its status does.</summary>
    public static void Set(JsonObject pod, string type, string status, string reason, string message, DateTimeOffset now)
    {
        var podStatus = Meta.Child(pod, "status");
        if (podStatus["conditions"] is not JsonArray conditions)
        {
            conditions = [];
            podStatus["conditions"] = conditions;
        }

        var condition = conditions.OfType<JsonObject>().FirstOrDefault(c => Meta.Text(c["type"]) == type);
        if (condition is null)
        {
            condition = new JsonObject { ["type"] = type };
            conditions.Add((JsonNode)condition);
        }

        if (Meta.Text(condition["status"]) != status)
        {
            condition["status"] = status;
            condition["lastTransitionTime"] = Meta.Time(now);
        }

        SetOrRemove(condition, "reason", reason);
        SetOrRemove(condition, "message", message);
        if (Meta.Generation(pod) is var generation and > 0)
        {
            condition["observedGeneration"] = generation;
        }
    }

    private static void SetOrRemove(JsonObject condition, string field, string value)
    {
        if (value.Length == 0)
        {
            condition.Remove(field);
        }
        else
        {
            condition[field] = value;
        }
    }
}
