using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Pods;

/// <summary>spec of a pod. Source: upstream's ValidatePodSpec; each concern has a class of its own.</summary>
internal static class PodSpecRules
{
    public static void Check(Field spec, string podName)
    {
        if (!spec["terminationGracePeriodSeconds"].IsSet)
        {
            spec["terminationGracePeriodSeconds"].Required();
        }

        var pod = new PodScope(spec, VolumeRules.Check(spec["volumes"], spec, podName));
        CheckResourceClaims(spec["resourceClaims"]);
        ContainerRules.Check(spec["containers"], pod);
        InitContainerRules.Check(spec["initContainers"], pod);
        EphemeralContainerRules.Check(spec["ephemeralContainers"], pod);
        PodLevelResourceRules.Check(spec);
        PortRules.CheckHostNetwork(spec);
        spec["restartPolicy"].RequiredOneOf("Always", "OnFailure", "Never");
        ObjectMetaRules.CheckLabels(spec["nodeSelector"]);
        PodSecurityRules.Check(spec["securityContext"], spec);
        AffinityRules.Check(spec["affinity"]);
        PodDnsRules.Check(spec);
        CheckGates(spec);
        SpreadRules.Check(spec["topologySpreadConstraints"]);
        PodSecurityRules.CheckHostUsers(spec);
        CheckReferences(spec);
        TolerationRules.Check(spec["tolerations"]);
        spec["activeDeadlineSeconds"].InRange(1, int.MaxValue);
        if (spec["preemptionPolicy"].IsSet)
        {
            spec["preemptionPolicy"].RequiredOneOf("PreemptLowerPriority", "Never");
        }

        CheckOverhead(spec["overhead"]);
        PodOsRules.Check(spec);
    }

    private static void CheckReferences(Field spec)
    {
        foreach (var field in (string[])["serviceAccountName", "nodeName", "priorityClassName"])
        {
            spec[field].CheckIfSet(Names.DnsSubdomain);
        }

        if (spec["runtimeClassName"].IsSet)
        {
            spec["runtimeClassName"].Check(Names.DnsSubdomain);
        }
    }

    private static void CheckGates(Field spec)
    {
        foreach (var gate in spec["readinessGates"].Items)
        {
            gate["conditionType"].Check(Names.Qualified);
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var gate in spec["schedulingGates"].Items)
        {
            var name = gate["name"].Text;
            gate.Check(name, Names.Qualified);
            if (!names.Add(name))
            {
                gate.Duplicate(name);
            }
        }
    }

    private static void CheckOverhead(Field overhead)
    {
        foreach (var (name, amount) in overhead.Entries)
        {
            var limit = overhead.Child("limits", overhead.Node).Key(name);
            foreach (var fault in ResourceRules.ContainerName(name))
            {
                limit.InvalidText(name, fault);
            }

            ResourceRules.CheckAmount(name, limit);
        }
    }

    private static void CheckResourceClaims(Field claims)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var claim in claims.Items)
        {
            claim["name"].CheckRequired(Names.DnsLabel);
            if (claim["name"].Text.Length > 0 && !names.Add(claim["name"].Text))
            {
                claim["name"].Duplicate();
            }

            var (byName, byTemplate) = (claim["resourceClaimName"], claim["resourceClaimTemplateName"]);
            if (byName.IsSet && byTemplate.IsSet)
            {
                claim.Invalid("at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified");
            }
            else if (!byName.IsSet && !byTemplate.IsSet)
            {
                claim.Invalid("must specify one of: `resourceClaimName`, `resourceClaimTemplateName`");
            }

            byName.CheckIfSet(Names.DnsSubdomain);
            byTemplate.CheckIfSet(Names.DnsSubdomain);
        }
    }
}
