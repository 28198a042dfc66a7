using System.Text.Json.Nodes;
using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Pods;

/// <summary>Changes of a pod by its users: almost nothing of spec may change.</summary>
internal static class PodUpdateRules
{
    private const string Updatable =
        "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
        + "`spec.tolerations` (only additions to existing tolerations),"
        + "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

    public static void Check(Field pod, Field old)
    {
        ObjectMetaRules.CheckUpdate(pod["metadata"], old["metadata"]);
        PodRules.CheckWhole(pod);
        CheckMirror(pod, old);
        var (spec, oldSpec) = (pod["spec"], old["spec"]);
        if (!SameContainers(spec["containers"], oldSpec["containers"]) || !SameContainers(spec["initContainers"], oldSpec["initContainers"])
            || !CheckDeadline(spec["activeDeadlineSeconds"], oldSpec["activeDeadlineSeconds"]))
        {
            return;
        }

        CheckTolerations(spec["tolerations"], oldSpec["tolerations"]);
        CheckGates(spec["schedulingGates"], oldSpec["schedulingGates"]);
        if (!JsonNode.DeepEquals(spec.Node, oldSpec.Node))
        {
            CheckRest(spec, oldSpec);
        }
    }

    /// <summary>What marks a mirror pod stays as it is.</summary>
    public static void CheckMirror(Field pod, Field old)
    {
        var (mark, had) = (pod["metadata"]["annotations"].Key(PodRules.Mirror), old["metadata"]["annotations"].Key(PodRules.Mirror));
        if (had.IsSet && mark.Text != had.Text)
        {
            mark.Forbidden("may not remove or update mirror pod annotation");
        }
        else if (!had.IsSet && mark.IsSet)
        {
            mark.Forbidden("may not add mirror pod annotation");
        }
    }

    private static bool SameContainers(Field containers, Field old)
    {
        if (containers.Count != old.Count)
        {
            containers.Forbidden("pod updates may not add or remove containers");
            return false;
        }

        return true;
    }

    private static bool CheckDeadline(Field deadline, Field old)
    {
        if (!deadline.IsSet)
        {
            if (old.IsSet)
            {
                deadline.Invalid("must not update from a positive integer to nil value");
            }

            return true;
        }

        if (deadline.Number is < 0 or > int.MaxValue)
        {
            deadline.InRange(0, int.MaxValue);
            return false;
        }

        if (old.IsSet && old.Number < deadline.Number)
        {
            deadline.Invalid("must be less than or equal to previous value");
            return false;
        }

        return true;
    }

    private static void CheckTolerations(Field tolerations, Field old)
    {
        var present = tolerations.Items.Select(t => WithoutSeconds(t.Node)).ToList();
        if (!old.Items.All(o => present.Exists(p => JsonNode.DeepEquals(p, WithoutSeconds(o.Node)))))
        {
            tolerations.Forbidden("existing toleration can not be modified except its tolerationSeconds");
        }
    }

    private static JsonNode? WithoutSeconds(JsonNode? toleration)
    {
        var copy = toleration?.DeepClone();
        (copy as JsonObject)?.Remove("tolerationSeconds");
        return copy;
    }

    private static void CheckGates(Field gates, Field old)
    {
        var had = old.Items.Select(g => g["name"].Text).ToHashSet(StringComparer.Ordinal);
        foreach (var gate in gates.Items.Where(g => !had.Contains(g["name"].Text)))
        {
            gate["name"].Forbidden($"only deletion is allowed, but found new scheduling gate '{gate["name"].Text}'");
        }
    }

    // What may change is set back to what it was; anything left is a change too many.
    private static void CheckRest(Field spec, Field old)
    {
        var (rest, oldSpec) = ((JsonObject)spec.Node!.DeepClone(), (JsonObject)old.Node!);
        RestoreImages(rest, oldSpec, "containers");
        RestoreImages(rest, oldSpec, "initContainers");
        Restore(rest, oldSpec, "activeDeadlineSeconds");
        Restore(rest, oldSpec, "tolerations");
        Restore(rest, oldSpec, "schedulingGates");
        if (old["terminationGracePeriodSeconds"].Number < 0 && spec["terminationGracePeriodSeconds"].Number == 1)
        {
            Restore(rest, oldSpec, "terminationGracePeriodSeconds");
        }

        if (old["schedulingGates"].Count > 0)
        {
            GatedPodRules.Check(spec, old);
            Restore(rest, oldSpec, "nodeSelector");
            RestoreNodeAffinity(rest, oldSpec);
        }

        if (!JsonNode.DeepEquals(rest, oldSpec))
        {
            spec.Forbidden($"pod updates may not change fields other than {Updatable}\n{SpecDifference.Describe(oldSpec, rest)}");
        }
    }

    private static void RestoreImages(JsonObject spec, JsonObject old, string list)
    {
        for (var i = 0; i < (spec[list] as JsonArray)?.Count; i++)
        {
            if (spec[list]![i] is JsonObject container && old[list]?[i] is JsonObject oldContainer)
            {
                Restore(container, oldContainer, "image");
            }
        }
    }

    private static void RestoreNodeAffinity(JsonObject spec, JsonObject old)
    {
        var affinity = spec["affinity"] as JsonObject ?? [];
        spec.Remove("affinity");
        Restore(affinity, old["affinity"] as JsonObject ?? [], "nodeAffinity");
        if (affinity.Count > 0 || old["affinity"] is not null)
        {
            spec["affinity"] = affinity;
        }
    }

    private static void Restore(JsonObject obj, JsonObject old, string field)
    {
        obj.Remove(field);
        if (old[field] is { } value)
        {
            obj[field] = value.DeepClone();
        }
    }
}
