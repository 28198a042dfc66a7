using System.Text.Json.Nodes;

namespace Podhost.Api.Defaulting;

/// <summary>Defaults of the kinds that make pods. Source: upstream's apps/v1 and batch/v1 defaults.</summary>
internal static class WorkloadDefaults
{
    private const int MaxBackoffLimit = int.MaxValue;

    public static void ApplyToDeployment(JsonObject deployment)
    {
        var spec = Defaults.Ensure(deployment, "spec");
        Defaults.Set(spec, "replicas", 1);
        var strategy = Defaults.Ensure(spec, "strategy");
        Defaults.SetText(strategy, "type", "RollingUpdate");
        if (Defaults.Text(strategy, "type") == "RollingUpdate")
        {
            var rolling = Defaults.Ensure(strategy, "rollingUpdate");
            Defaults.Set(rolling, "maxUnavailable", "25%");
            Defaults.Set(rolling, "maxSurge", "25%");
        }

        Defaults.Set(spec, "revisionHistoryLimit", 10);
        Defaults.Set(spec, "progressDeadlineSeconds", 600);
        ApplyToTemplate(spec);
    }

    public static void ApplyToReplicaSet(JsonObject set)
    {
        var spec = Defaults.Ensure(set, "spec");
        Defaults.Set(spec, "replicas", 1);
        ApplyToTemplate(spec);
    }

    public static void ApplyToReplicationController(JsonObject controller)
    {
        var spec = Defaults.Ensure(controller, "spec");
        if (spec["template"]?["metadata"]?["labels"] is JsonObject { Count: > 0 } labels)
        {
            if (spec["selector"] is not JsonObject { Count: > 0 })
            {
                spec["selector"] = labels.DeepClone();
            }

            var metadata = Defaults.Ensure(controller, "metadata");
            if (metadata["labels"] is not JsonObject { Count: > 0 })
            {
                metadata["labels"] = labels.DeepClone();
            }
        }

        Defaults.Set(spec, "replicas", 1);
        ApplyToTemplate(spec);
    }

    public static void ApplyToDaemonSet(JsonObject set)
    {
        var spec = Defaults.Ensure(set, "spec");
        var strategy = Defaults.Ensure(spec, "updateStrategy");
        Defaults.SetText(strategy, "type", "RollingUpdate");
        if (Defaults.Text(strategy, "type") == "RollingUpdate")
        {
            var rolling = Defaults.Ensure(strategy, "rollingUpdate");
            Defaults.Set(rolling, "maxUnavailable", 1);
            Defaults.Set(rolling, "maxSurge", 0);
        }

        Defaults.Set(spec, "revisionHistoryLimit", 10);
        ApplyToTemplate(spec);
    }

    public static void ApplyToStatefulSet(JsonObject set)
    {
        var spec = Defaults.Ensure(set, "spec");
        Defaults.SetText(spec, "podManagementPolicy", "OrderedReady");
        var strategy = Defaults.Ensure(spec, "updateStrategy");
        Defaults.SetText(strategy, "type", "RollingUpdate");
        if (Defaults.Text(strategy, "type") == "RollingUpdate")
        {
            var rolling = Defaults.Ensure(strategy, "rollingUpdate");
            Defaults.Set(rolling, "partition", 0);
            Defaults.Set(rolling, "maxUnavailable", 1);
        }

        var retention = Defaults.Ensure(spec, "persistentVolumeClaimRetentionPolicy");
        Defaults.SetText(retention, "whenDeleted", "Retain");
        Defaults.SetText(retention, "whenScaled", "Retain");
        Defaults.Set(spec, "replicas", 1);
        Defaults.Set(spec, "revisionHistoryLimit", 10);
        ApplyToTemplate(spec);
        foreach (var claim in Defaults.Items(spec, "volumeClaimTemplates"))
        {
            Defaults.SetText(claim, "apiVersion", "v1");
            Defaults.SetText(claim, "kind", "PersistentVolumeClaim");
            StorageAndMetaDefaults.ApplyToClaim(claim);
        }
    }

    public static void ApplyToJob(JsonObject job) => ApplyToJobSpec(Defaults.Ensure(job, "spec"), Defaults.Ensure(job, "metadata"));

    public static void ApplyToCronJob(JsonObject cron)
    {
        var spec = Defaults.Ensure(cron, "spec");
        Defaults.SetText(spec, "concurrencyPolicy", "Allow");
        Defaults.Set(spec, "suspend", false);
        Defaults.Set(spec, "successfulJobsHistoryLimit", 3);
        Defaults.Set(spec, "failedJobsHistoryLimit", 1);
        if (Defaults.Child(spec, "jobTemplate") is { } template)
        {
            ApplyToJobSpec(Defaults.Ensure(template, "spec"), null);
        }
    }

    private static void ApplyToJobSpec(JsonObject spec, JsonObject? metadata)
    {
        // One pod where neither is said; a work queue (completions unset) where only parallelism is.
        if (spec["completions"] is null && spec["parallelism"] is null)
        {
            spec["completions"] = 1;
        }

        Defaults.Set(spec, "parallelism", 1);
        Defaults.Set(spec, "backoffLimit", spec["backoffLimitPerIndex"] is null ? 6 : MaxBackoffLimit);
        Defaults.Set(spec, "completionMode", "NonIndexed");
        Defaults.Set(spec, "suspend", false);
        Defaults.Set(spec, "manualSelector", false);
        Defaults.Set(spec, "podReplacementPolicy", spec["podFailurePolicy"] is null ? "TerminatingOrFailed" : "Failed");
        foreach (var pattern in FailurePatterns(spec))
        {
            Defaults.SetText(pattern, "status", "True");
        }

        ApplyToTemplate(spec);
        if (metadata is not null && metadata["labels"] is not JsonObject { Count: > 0 } && spec["template"]?["metadata"]?["labels"] is JsonObject { Count: > 0 } labels)
        {
            metadata["labels"] = labels.DeepClone();
        }
    }

    private static IEnumerable<JsonObject> FailurePatterns(JsonObject spec) =>
        Defaults.Child(spec, "podFailurePolicy") is { } policy ? Defaults.Items(policy, "rules").SelectMany(r => Defaults.Items(r, "onPodConditions")) : [];

    public static void ApplyToPodTemplate(JsonObject obj)
    {
        Defaults.Ensure(obj, "template");
        ApplyToTemplate(obj);
    }

    private static void ApplyToTemplate(JsonObject spec)
    {
        if (Defaults.Child(spec, "template") is { } template)
        {
            PodDefaults.ApplyToSpec(Defaults.Ensure(template, "spec"));
        }
    }
}
