using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Kubelet.Pods.Decide;

namespace Podhost.Kubelet.Status;

/// <summary>
/// A status as a strategic merge patch: conditions merge by type, so that those of others stay; fields that are unset now are removed;
/// the addresses are replaced as a whole. metadata.uid guards against an object of the same name.
/// </summary>
internal static class StatusPatch
{
    private static readonly string[] Removable =
        ["reason", "message", "podIP", "podIPs", "containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses", "resources", "allocatedResources"];

    public static JsonObject Of(string uid, V1PodStatus status, V1PodStatus? inApi)
    {
        var body = ObjectCodec.ToObject(status);
        foreach (var field in Removable)
        {
            body.TryAdd(field, null);
        }

        if (body["podIPs"] is JsonArray ips)
        {
            ips.Insert(0, new JsonObject { ["$patch"] = "replace" });
        }

        var conditions = body["conditions"] as JsonArray ?? [];
        foreach (var ended in inApi?.Conditions ?? [])
        {
            if (ConditionRules.IsOwn(ended.Type) && status.Conditions.All(c => c.Type != ended.Type))
            {
                conditions.Add((JsonNode)new JsonObject { ["$patch"] = "delete", ["type"] = ended.Type });
            }
        }

        foreach (var condition in conditions)
        {
            if (condition is JsonObject c && !c.ContainsKey("$patch"))
            {
                c.TryAdd("reason", null);
                c.TryAdd("message", null);
            }
        }

        return new JsonObject { ["metadata"] = new JsonObject { ["uid"] = uid }, ["status"] = body };
    }
}
