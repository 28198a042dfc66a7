using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Api.Pods;
using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Pods;

/// <summary>
/// The resize subresource: cpu and memory of the pod as a whole and of its containers, within the pod's QoS class.
/// Source: upstream's ValidatePodResize, with the gate InPlacePodVerticalScalingInitContainers as 1.36 has it (on).
/// </summary>
internal static class PodResizeRules
{
    private static readonly string[] Resizable = [ResourceNames.Cpu, ResourceNames.Memory];
    private static readonly string[] Lists = ["containers", "initContainers"];

    public static void Check(Field pod, Field old)
    {
        if (Refusal(pod, old) is { } refusal)
        {
            pod.Add(FieldError.Forbidden("", refusal));
            return;
        }

        ObjectMetaRules.CheckUpdate(pod["metadata"], old["metadata"]);
        PodRules.CheckWhole(pod);
        CheckQos(pod, old);
        if (old["status"]["containerStatuses"].Items.FirstOrDefault(c => c["state"]["running"].IsSet) is { } running && !running["resources"].IsSet)
        {
            pod["spec"].Forbidden("Pod running on node without support for resize");
        }

        // All that follows compares containers by their place.
        if (AreTheSame(pod["spec"], old["spec"]))
        {
            CheckContainers(pod["spec"], old["spec"]);
        }
    }

    private static bool AreTheSame(Field spec, Field old)
    {
        var same = true;
        foreach (var list in Lists)
        {
            if (spec[list].Count != old[list].Count)
            {
                spec.Forbidden($"{list} may not be added or removed on resize");
                same = false;
                continue;
            }

            foreach (var (now, _) in spec[list].Items.Zip(old[list].Items).Where(p => p.First["name"].Text != p.Second["name"].Text))
            {
                now["name"].Forbidden($"{list} may not be renamed or reordered on resize");
                same = false;
            }
        }

        return same;
    }

    private static string? Refusal(Field pod, Field old) =>
        old["metadata"]["annotations"].Key(PodRules.Mirror).IsSet ? "static pods cannot be resized"
        : old["spec"]["os"]["name"].Text == "windows" ? "windows pods cannot be resized"
        : null;

    private static void CheckQos(Field pod, Field old)
    {
        var before = QosRules.Of(ObjectCodec.ToModel<V1Pod>(old.Node!));
        var after = QosRules.Compute(ObjectCodec.ToModel<V1Pod>(pod.Node!));
        if (before != after)
        {
            pod["spec"].With(pod["status"]["qosClass"].Node ?? "").Invalid("Pod QOS Class may not change as a result of resizing");
        }
    }

    private static void CheckContainers(Field spec, Field old)
    {
        var rest = (JsonObject)spec.Node!.DeepClone();
        if (!CheckPodLevel(spec, old, rest))
        {
            return;
        }

        foreach (var list in Lists.Reverse())
        {
            for (var i = 0; i < spec[list].Count; i++)
            {
                CheckContainer(spec[list].At(i), old[list].At(i), (JsonObject)rest[list]![i]!);
            }
        }

        if (!JsonNode.DeepEquals(rest, old.Node))
        {
            spec.Forbidden("only cpu and memory resources are mutable");
        }
    }

    // True where the rest is worth a look.
    private static bool CheckPodLevel(Field spec, Field old, JsonObject rest)
    {
        var (now, before) = (spec["resources"], old["resources"]);
        if (before.IsSet && !now.IsSet)
        {
            now.Forbidden("pod-level resources cannot be removed");
            return false;
        }

        CheckRemoved(now["requests"], before["requests"], "pod-level resource requests cannot be removed");
        CheckRemoved(now["limits"], before["limits"], "pod-level resource limits cannot be removed");
        RestoreResizable(rest, old);
        if (!JsonNode.DeepEquals(rest["resources"], before.Node))
        {
            spec.Forbidden("only cpu and memory resources are mutable at pod-level");
            return false;
        }

        return true;
    }

    // Sets back in rest what may change, so that whatever is left there is a change too many.
    private static void CheckContainer(Field container, Field old, JsonObject rest)
    {
        CheckRemoved(container["resources"]["requests"], old["resources"]["requests"], "resource requests cannot be removed");
        CheckRemoved(container["resources"]["limits"], old["resources"]["limits"], "resource limits cannot be removed");
        RestoreResizable(rest, old);
    }

    private static void CheckRemoved(Field list, Field old, string detail)
    {
        if (old.Entries.Any(e => !list.Key(e.Key).IsSet))
        {
            list.Forbidden(detail);
        }
    }

    private static void RestoreResizable(JsonObject owner, Field old)
    {
        var resources = owner["resources"] as JsonObject ?? [];
        owner.Remove("resources");
        foreach (var kind in (string[])["requests", "limits"])
        {
            var amounts = resources[kind] as JsonObject ?? [];
            resources.Remove(kind);
            foreach (var name in Resizable)
            {
                amounts.Remove(name);
                if (old["resources"][kind].Key(name).Node is { } had)
                {
                    amounts[name] = had.DeepClone();
                }
            }

            if (amounts.Count > 0 || old["resources"][kind].IsSet)
            {
                resources[kind] = amounts;
            }
        }

        if (resources.Count > 0 || old["resources"].IsSet)
        {
            owner["resources"] = resources;
        }
    }
}
