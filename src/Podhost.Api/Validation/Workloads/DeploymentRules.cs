using System.Globalization;
using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Workloads;

/// <summary>Deployments. Source: upstream's ValidateDeployment.</summary>
internal static class DeploymentRules
{
    public static void Create(Field deployment)
    {
        ObjectMetaRules.CheckCreate(deployment["metadata"], namespaced: true, Names.DnsSubdomain);
        CheckSpec(deployment["spec"]);
    }

    public static void Update(Field deployment, Field old, string subresource)
    {
        ObjectMetaRules.CheckUpdate(deployment["metadata"], old["metadata"]);
        if (subresource == "status")
        {
            return;
        }

        CheckSpec(deployment["spec"]);
        deployment["spec"]["selector"].Unchanged(old["spec"]["selector"].Node);
    }

    private static void CheckSpec(Field spec)
    {
        spec["replicas"].NotNegative();
        TemplateRules.Check(spec);
        CheckStrategy(spec["strategy"]);
        spec["minReadySeconds"].NotNegative();
        spec["revisionHistoryLimit"].NotNegative();
        spec["progressDeadlineSeconds"].NotNegative();
        if (spec["progressDeadlineSeconds"].IsSet && spec["progressDeadlineSeconds"].Number <= spec["minReadySeconds"].Number)
        {
            spec["progressDeadlineSeconds"].Invalid("must be greater than minReadySeconds");
        }
    }

    private static void CheckStrategy(Field strategy)
    {
        strategy["type"].RequiredOneOf("Recreate", "RollingUpdate");
        var rolling = strategy["rollingUpdate"];
        if (strategy["type"].Text == "Recreate" && rolling.IsSet)
        {
            rolling.Forbidden("may not be specified when strategy `type` is 'Recreate'");
        }
        else if (strategy["type"].Text == "RollingUpdate")
        {
            if (!rolling.IsSet)
            {
                rolling.Required("this should be defaulted and never be nil");
                return;
            }

            var (unavailable, surge) = (CheckShare(rolling["maxUnavailable"], atMost100: true), CheckShare(rolling["maxSurge"], atMost100: false));
            if (unavailable == 0 && surge == 0)
            {
                rolling["maxUnavailable"].Invalid("may not be 0 when `maxSurge` is 0");
            }
        }
    }

    /// <summary>A count or a percentage; its number, whatever the unit.</summary>
    internal static long CheckShare(Field share, bool atMost100)
    {
        if (!share.IsText)
        {
            share.NotNegative();
            return share.Number;
        }

        if (!share.Text.EndsWith('%') || !int.TryParse(share.Text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var percent))
        {
            share.Invalid("a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')");
            return 1;
        }

        if (atMost100 && percent > 100)
        {
            share.Invalid("must not be greater than 100%");
        }

        return percent;
    }
}
