using System.Text.Json.Nodes;
using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Pods;

/// <summary>The ephemeralcontainers subresource: additions only.</summary>
internal static class EphemeralUpdateRules
{
    public static void Check(Field pod, Field old)
    {
        if (old["metadata"]["annotations"].Key(PodRules.Mirror).IsSet)
        {
            pod.Add(FieldError.Forbidden("", "static pods do not support ephemeral containers"));
            return;
        }

        ObjectMetaRules.CheckUpdate(pod["metadata"], old["metadata"]);
        PodRules.CheckWhole(pod);
        PodUpdateRules.CheckMirror(pod, old);
        var containers = pod["spec"]["ephemeralContainers"];
        foreach (var had in old["spec"]["ephemeralContainers"].Items)
        {
            var name = had["name"].Text;
            if (containers.Items.FirstOrDefault(c => c["name"].Text == name) is not { } now)
            {
                containers.Forbidden($"existing ephemeral containers \"{name}\" may not be removed\n");
            }
            else if (!JsonNode.DeepEquals(now.Node, had.Node))
            {
                containers.Forbidden($"existing ephemeral containers \"{name}\" may not be changed\n{SpecDifference.Describe(had.Node, now.Node)}");
            }
        }
    }
}
