using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Workloads;

/// <summary>DaemonSets. Source: upstream's ValidateDaemonSet and ValidateDaemonSetUpdate.</summary>
internal static class DaemonSetRules
{
    private static readonly string[] Counts =
    [
        "currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady", "observedGeneration", "updatedNumberScheduled",
        "numberAvailable", "numberUnavailable", "collisionCount",
    ];

    public static void Create(Field set)
    {
        ObjectMetaRules.CheckCreate(set["metadata"], namespaced: true, Names.DnsSubdomain);
        CheckSpec(set["spec"]);
    }

    public static void Update(Field set, Field old, string subresource)
    {
        ObjectMetaRules.CheckUpdate(set["metadata"], old["metadata"]);
        if (subresource == "status")
        {
            foreach (var count in Counts)
            {
                set["status"][count].NotNegative();
            }

            if (set["status"]["collisionCount"].Number < old["status"]["collisionCount"].Number)
            {
                set["status"]["collisionCount"].Invalid("cannot be decremented");
            }

            return;
        }

        CheckSpec(set["spec"]);
        set["spec"]["selector"].Unchanged(old["spec"]["selector"].Node);
    }

    private static void CheckSpec(Field spec)
    {
        TemplateRules.CheckSelector(spec, "daemonset");
        TemplateRules.CheckTemplate(spec["template"]);
        TemplateRules.CheckRunsForEver(spec["template"], "DaemonSet");
        spec["minReadySeconds"].NotNegative();
        spec["revisionHistoryLimit"].NotNegative();
        CheckStrategy(spec["updateStrategy"]);
    }

    private static void CheckStrategy(Field strategy)
    {
        if (strategy["type"].Text is not ("OnDelete" or "RollingUpdate"))
        {
            strategy.Add(FieldError.NotSupported(strategy["type"].Path, strategy["type"].Text, ["RollingUpdate", "OnDelete"]));
            return;
        }

        if (strategy["type"].Text == "OnDelete")
        {
            return;
        }

        var rolling = strategy["rollingUpdate"];
        if (!rolling.IsSet)
        {
            rolling.Required();
            return;
        }

        var (unavailable, surge) = (rolling["maxUnavailable"], rolling["maxSurge"]);
        var (missing, more) = (DeploymentRules.CheckShare(unavailable, atMost100: true), DeploymentRules.CheckShare(surge, atMost100: true));
        if (missing != 0 && more != 0)
        {
            surge.Invalid("may not be set when maxUnavailable is non-zero");
        }
        else if (missing == 0 && more == 0)
        {
            unavailable.Required("cannot be 0 when maxSurge is 0");
        }
    }
}
