using System.Text.Json.Nodes;
using Podhost.Api.Resources;

namespace Podhost.ApiServer.Registry.Pods;

/// <summary>Pods: status and QoS class on create, one strategy a subresource, graceful deletion.</summary>
internal sealed class PodStrategy(ResourceInfo resource) : ResourceStrategy(resource)
{
    private static readonly string[] ResizedLists = ["containers", "initContainers"];

    /// <summary>As elsewhere, but a pod's place is no change of its spec: a pod that was created and bound is still at 1.</summary>
    public override bool RaisesGeneration(JsonObject obj, JsonObject old, string subresource) =>
        Meta.Text(Meta.At(obj, "spec", "nodeName")) == Meta.Text(Meta.At(old, "spec", "nodeName")) && base.RaisesGeneration(obj, old, subresource);

    public override bool ReturnsDeletedObject => true;

    public override bool DeletesGracefully => true;

    public override void PrepareForCreate(JsonObject obj)
    {
        obj["status"] = new JsonObject
        {
            ["phase"] = "Pending",
            ["qosClass"] = PodQos.Of(Meta.Child(obj, "spec")),
        };
        GateScheduling(obj);
        LabelKeys.Merge(obj);
    }

    public override void PrepareForUpdate(JsonObject obj, JsonObject old, string subresource)
    {
        switch (subresource)
        {
            case "status":
                KeepAllBut("status", obj, old);
                KeepQosClass(obj, old);
                break;
            case "ephemeralcontainers":
                ReplaceOnly("ephemeralContainers", obj, old);
                break;
            case "resize":
                KeepAllButResources(obj, old);
                break;
            case "binding":
                // Made by the server itself: the node and the condition that says so.
                break;
            default:
                Meta.CopyField(old, obj, "status");
                break;
        }
    }

    public override long GraceSeconds(JsonObject obj, long? requested)
    {
        var grace = requested ?? (Meta.At(obj, "spec", "terminationGracePeriodSeconds") is JsonValue v && v.TryGetValue(out long s) ? s : 0);

        // Nothing runs on any node yet, or nothing runs any more: there is nobody to wait for.
        if (Meta.Text(Meta.At(obj, "spec", "nodeName")).Length == 0 || Meta.Text(Meta.At(obj, "status", "phase")) is "Succeeded" or "Failed")
        {
            grace = 0;
        }

        return grace < 0 ? 1 : grace;
    }

    private static void GateScheduling(JsonObject obj)
    {
        if (Meta.At(obj, "spec", "schedulingGates") is JsonArray { Count: > 0 })
        {
            Meta.Child(obj, "status")["conditions"] = new JsonArray(new JsonObject
            {
                ["type"] = "PodScheduled",
                ["status"] = "False",
                ["reason"] = "SchedulingGated",
                ["message"] = "Scheduling is blocked due to non-empty scheduling gates",
                ["lastProbeTime"] = null,
                ["lastTransitionTime"] = null,
            });
        }
    }

    private static void KeepQosClass(JsonObject obj, JsonObject old)
    {
        if (Meta.Text(Meta.At(obj, "status", "qosClass")).Length == 0 && Meta.At(old, "status", "qosClass") is { } qos)
        {
            Meta.Child(obj, "status")["qosClass"] = qos.DeepClone();
        }
    }

    private static void ReplaceOnly(string field, JsonObject obj, JsonObject old)
    {
        var changed = Meta.At(obj, "spec", field)?.DeepClone();
        Replace(obj, old);
        var spec = Meta.Child(obj, "spec");
        if (changed is null)
        {
            spec.Remove(field);
        }
        else
        {
            spec[field] = changed;
        }
    }

    // Of a resize only what it is about may change: resources and resize policies. Containers that are others, or in another order, stay as they were
    // asked for: the validation says so.
    private static void KeepAllButResources(JsonObject obj, JsonObject old)
    {
        var wanted = Meta.Child(obj, "spec");
        if (ResizedLists.Any(list => Containers(wanted, list).Count != Containers(Meta.Child(old, "spec"), list).Count))
        {
            return;
        }

        Replace(obj, old);
        var spec = Meta.Child(obj, "spec");
        Meta.CopyField(wanted, spec, "resources");
        foreach (var list in ResizedLists)
        {
            var (from, to) = (Containers(wanted, list), Containers(spec, list));
            if (!from.Select(c => Meta.Text(c["name"])).SequenceEqual(to.Select(c => Meta.Text(c["name"])), StringComparer.Ordinal))
            {
                Meta.CopyField(wanted, spec, list);
                continue;
            }

            foreach (var (source, container) in from.Zip(to))
            {
                Meta.CopyField(source, container, "resources");
                Meta.CopyField(source, container, "resizePolicy");
            }
        }
    }

    private static List<JsonObject> Containers(JsonObject spec, string list) => [.. (spec[list] as JsonArray ?? []).OfType<JsonObject>()];

    private static void Replace(JsonObject obj, JsonObject old)
    {
        var version = Meta.ResourceVersion(obj);
        obj.Clear();
        foreach (var (name, value) in old)
        {
            obj[name] = value?.DeepClone();
        }

        if (version.Length > 0)
        {
            Meta.Of(obj)["resourceVersion"] = version;
        }
    }
}
