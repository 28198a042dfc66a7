namespace Podhost.Api.Validation.Pods;

/// <summary>spec.initContainers: probes and hooks belong to sidecars only.</summary>
internal static class InitContainerRules
{
    public static void Check(Field containers, PodScope pod)
    {
        var names = pod.Spec["containers"].Items.Select(c => c["name"].Text).ToHashSet(StringComparer.Ordinal);
        foreach (var container in containers.Items)
        {
            ContainerRules.CheckCommon(container, pod);
            ContainerRestartRules.Check(container);
            var name = container["name"];
            if (names.Contains(name.Text))
            {
                name.Duplicate();
            }
            else if (name.Text.Length > 0)
            {
                names.Add(name.Text);
            }

            // Init containers run one by one: each conflicts with itself only.
            PortRules.CheckConflicts([container]);
            if (container["restartPolicy"].Text == "Always")
            {
                ProbeRules.CheckAll(container, pod);
            }
            else
            {
                foreach (var field in (string[])["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"])
                {
                    if (container[field].IsSet)
                    {
                        container[field].Forbidden("may not be set for init containers without restartPolicy=Always");
                    }
                }
            }

            ContainerRules.CheckImageSpaces(container);
        }
    }
}
