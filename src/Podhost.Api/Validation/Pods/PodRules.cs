using System.Globalization;
using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Pods;

/// <summary>Pods as they are created, and what every later version of one must obey too.</summary>
internal static class PodRules
{
    public const string Mirror = "kubernetes.io/config.mirror";
    private const string DeletionCost = "controller.kubernetes.io/pod-deletion-cost";

    public static void CheckCreate(Field pod)
    {
        CheckWhole(pod);
        var spec = pod["spec"];
        if (spec["ephemeralContainers"].Count > 0)
        {
            spec["ephemeralContainers"].Forbidden("cannot be set on create");
        }

        if (spec["nodeName"].Text.Length > 0 && spec["schedulingGates"].Count > 0)
        {
            spec["nodeName"].Forbidden("cannot be set until all schedulingGates have been cleared");
        }
    }

    /// <summary>Metadata, annotations with a meaning, and spec.</summary>
    public static void CheckWhole(Field pod)
    {
        ObjectMetaRules.CheckCreate(pod["metadata"], namespaced: true, Names.DnsSubdomain);
        CheckAnnotations(pod);
        PodSpecRules.Check(pod["spec"], pod["metadata"]["name"].Text);
    }

    private static void CheckAnnotations(Field pod)
    {
        var annotations = pod["metadata"]["annotations"];
        if (annotations.Key(Mirror).IsSet && pod["spec"]["nodeName"].Text.Length == 0)
        {
            annotations.Key(Mirror).Invalid("must set spec.nodeName if mirror pod annotation is set");
        }

        var cost = annotations.Key(DeletionCost);
        if (cost.IsSet && (cost.Text.StartsWith('+') || !int.TryParse(cost.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _)))
        {
            cost.Invalid("must be a 32bit integer");
        }
    }
}
