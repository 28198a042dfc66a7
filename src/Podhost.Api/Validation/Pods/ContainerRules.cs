namespace Podhost.Api.Validation.Pods;

/// <summary>What containers of all kinds obey, and spec.containers.</summary>
internal static class ContainerRules
{
    public static void Check(Field containers, PodScope pod)
    {
        if (containers.Count == 0)
        {
            containers.Required();
            return;
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var container in containers.Items)
        {
            CheckCommon(container, pod);
            if (!names.Add(container["name"].Text))
            {
                container["name"].Duplicate();
            }

            ProbeRules.CheckAll(container, pod);
            ContainerRestartRules.Check(container);
        }

        PortRules.CheckConflicts(containers.Items);
        foreach (var container in containers.Items)
        {
            CheckImageSpaces(container);
        }
    }

    public static void CheckCommon(Field container, PodScope pod)
    {
        container["name"].CheckRequired(Names.DnsLabel);
        if (container["image"].Text.Length == 0)
        {
            container["image"].Required();
        }

        container["terminationMessagePolicy"].RequiredOneOf("File", "FallbackToLogsOnError");
        PortRules.Check(container["ports"]);
        EnvironmentRules.Check(container, pod);
        MountRules.Check(container, pod);
        container["imagePullPolicy"].RequiredOneOf("Always", "IfNotPresent", "Never");
        ResourceRules.Check(container["resources"], ResourceRules.ContainerName);
        CheckClaims(container["resources"]["claims"], pod);
        CheckResizePolicy(container["resizePolicy"], pod);
        ContainerSecurityRules.Check(container["securityContext"], pod.HostUsers);
    }

    public static void CheckImageSpaces(Field container)
    {
        if (container["image"].Text.Trim() != container["image"].Text)
        {
            container["image"].Invalid("must not have leading or trailing whitespace");
        }
    }

    private static void CheckResizePolicy(Field policies, PodScope pod)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var policy in policies.Items)
        {
            if (!seen.Add(policy["resourceName"].Text))
            {
                policy.Duplicate(policy["resourceName"].Text);
            }

            policies.With(policy["resourceName"].Node).RequiredOneOf("cpu", "memory");
            var restart = policies.With(policy["restartPolicy"].Node);
            restart.RequiredOneOf("NotRequired", "RestartContainer");
            if (pod.RestartPolicy == "Never" && restart.Text != "NotRequired")
            {
                restart.Invalid("must be 'NotRequired' when `restartPolicy` is 'Never'");
            }
        }
    }

    private static void CheckClaims(Field claims, PodScope pod)
    {
        var known = pod.Spec["resourceClaims"].Items.Select(c => c["name"].Text).Where(n => n.Length > 0).Order(StringComparer.Ordinal).ToList();
        foreach (var claim in claims.Items)
        {
            if (claim["name"].Text.Length == 0)
            {
                claim.Required();
            }
            else if (!known.Contains(claim["name"].Text))
            {
                var detail = "must be one of the names in pod.spec.resourceClaims" + (known.Count == 0 ? " which is empty" : ": " + string.Join(", ", known));
                claim.Add(new FieldError(claim.Path, "FieldValueNotFound", $"Not found: {Field.Printed(claim["name"].Node)}: {detail}"));
            }
        }
    }
}
