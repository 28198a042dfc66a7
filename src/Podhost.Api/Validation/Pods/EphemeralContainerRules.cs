namespace Podhost.Api.Validation.Pods;

/// <summary>spec.ephemeralContainers: nothing that a workload would rely on.</summary>
internal static class EphemeralContainerRules
{
    private const string NotAllowed = "cannot be set for an Ephemeral Container";

    private static readonly string[] Refused =
        ["ports", "resources", "resizePolicy", "restartPolicy", "restartPolicyRules", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"];

    public static void Check(Field containers, PodScope pod)
    {
        var others = pod.Spec["containers"].Items.Concat(pod.Spec["initContainers"].Items).Select(c => c["name"].Text).ToHashSet(StringComparer.Ordinal);
        var names = new HashSet<string>(others, StringComparer.Ordinal);
        foreach (var container in containers.Items)
        {
            ContainerRules.CheckCommon(container, pod);
            ContainerRules.CheckImageSpaces(container);
            if (!names.Add(container["name"].Text))
            {
                container["name"].Duplicate();
            }

            var target = container["targetContainerName"];
            if (target.Text.Length > 0 && !others.Contains(target.Text))
            {
                target.NotFound();
            }

            CheckRefused(container);
        }
    }

    private static void CheckRefused(Field container)
    {
        foreach (var field in Refused.Select(f => container[f]).Where(f => f.Count > 0 || f.Text.Length > 0))
        {
            field.Forbidden(NotAllowed);
        }

        foreach (var mount in container["volumeMounts"].Items)
        {
            foreach (var field in (string[])["subPath", "subPathExpr"])
            {
                if (mount[field].Text.Length > 0)
                {
                    mount[field].Forbidden(NotAllowed);
                }
            }
        }
    }
}
