using Podhost.Api.Validation.Metadata;
using Podhost.Api.Validation.Workloads;

namespace Podhost.Api.Validation.Policy;

/// <summary>PodDisruptionBudgets. Source: upstream's ValidatePodDisruptionBudget.</summary>
internal static class DisruptionBudgetRules
{
    public static void Create(Field budget)
    {
        ObjectMetaRules.CheckCreate(budget["metadata"], namespaced: true, Names.DnsSubdomain);
        CheckSpec(budget["spec"]);
    }

    public static void Update(Field budget, Field old, string subresource)
    {
        ObjectMetaRules.CheckUpdate(budget["metadata"], old["metadata"]);
        if (subresource != "status")
        {
            CheckSpec(budget["spec"]);
            return;
        }

        foreach (var count in (ReadOnlySpan<string>)["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"])
        {
            budget["status"][count].NotNegative();
        }
    }

    private static void CheckSpec(Field spec)
    {
        if (spec["minAvailable"].IsSet && spec["maxUnavailable"].IsSet)
        {
            spec.Invalid("minAvailable and maxUnavailable cannot be both set");
        }

        foreach (var name in (ReadOnlySpan<string>)["minAvailable", "maxUnavailable"])
        {
            if (spec[name].IsSet)
            {
                DeploymentRules.CheckShare(spec[name], atMost100: true);
            }
        }

        SelectorRules.Check(spec["selector"]);
        spec["unhealthyPodEvictionPolicy"].OneOf("AlwaysAllow", "IfHealthyBudget");
    }
}
