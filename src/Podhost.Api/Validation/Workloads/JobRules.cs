using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Workloads;

/// <summary>Jobs. Source: upstream's ValidateJob and ValidateJobUpdate.</summary>
internal static class JobRules
{
    // Upstream's bounds for jobs that keep track of single indexes.
    private const long MaxIndexedParallelism = 100_000;
    private const long MaxFailedIndexesOfMany = 10_000;

    public static void Create(Field job)
    {
        ObjectMetaRules.CheckCreate(job["metadata"], namespaced: true, Names.DnsLabel);
        CheckSpec(job["spec"]);
        if (!TemplateRules.Matches(job["spec"]["selector"].Node as System.Text.Json.Nodes.JsonObject, job["spec"]["template"]["metadata"]["labels"]))
        {
            job["spec"]["template"]["metadata"]["labels"].Invalid("`selector` does not match template `labels`");
        }
    }

    public static void Update(Field job, Field old, string subresource)
    {
        ObjectMetaRules.CheckUpdate(job["metadata"], old["metadata"]);
        if (subresource == "status")
        {
            return;
        }

        var (spec, before) = (job["spec"], old["spec"]);
        CheckSpec(spec);
        var mayScale = spec["completionMode"].Text == "Indexed" && spec["completions"].Number == spec["parallelism"].Number;
        if (!mayScale)
        {
            spec["completions"].Unchanged(before["completions"].Node);
        }

        foreach (var name in (ReadOnlySpan<string>)["selector", "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "successPolicy", "managedBy"])
        {
            spec[name].Unchanged(before[name].Node);
        }

        // The template of a suspended job that never ran may be directed elsewhere; ours is kept as it is while pods of it may exist.
        if (!(before["suspend"].Flag && !old["status"]["startTime"].IsSet))
        {
            spec["template"].Unchanged(before["template"].Node);
        }
    }

    /// <summary>The spec of a job, also inside a CronJob's template.</summary>
    public static void CheckSpec(Field spec)
    {
        foreach (var name in (ReadOnlySpan<string>)["parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished", "backoffLimitPerIndex", "maxFailedIndexes"])
        {
            spec[name].NotNegative();
        }

        SelectorRules.Check(spec["selector"]);
        CheckMode(spec);
        TemplateRules.CheckTemplate(spec["template"]);
        CheckRestartPolicy(spec["template"]["spec"]["restartPolicy"], spec["podFailurePolicy"].IsSet);
        spec["podReplacementPolicy"].OneOf("Failed", "TerminatingOrFailed");
        if (spec["podFailurePolicy"].IsSet)
        {
            CheckFailurePolicy(spec);
        }

        SuccessPolicyRules.Check(spec);
        if (spec["scheduling"].IsSet)
        {
            spec["scheduling"].Forbidden("not implemented by this server");
        }

        if (spec["managedBy"].IsSet && spec["managedBy"].Text != "kubernetes.io/job-controller")
        {
            spec["managedBy"].Check(Names.Qualified);
        }
    }

    private static void CheckMode(Field spec)
    {
        spec["completionMode"].OneOf("NonIndexed", "Indexed");
        var indexed = spec["completionMode"].Text == "Indexed";
        if (indexed && !spec["completions"].IsSet)
        {
            spec["completions"].Required("when completion mode is Indexed");
        }

        if (indexed && spec["parallelism"].Number > MaxIndexedParallelism)
        {
            spec["parallelism"].Invalid($"must be less than or equal to {MaxIndexedParallelism} when completion mode is Indexed");
        }

        foreach (var name in (ReadOnlySpan<string>)["backoffLimitPerIndex", "maxFailedIndexes"])
        {
            if (!indexed && spec[name].IsSet)
            {
                spec[name].Invalid("when completion mode is NonIndexed");
            }
        }

        CheckFailedIndexes(spec);
    }

    private static void CheckFailedIndexes(Field spec)
    {
        var (limit, most) = (spec["backoffLimitPerIndex"], spec["maxFailedIndexes"]);
        if (most.IsSet && !limit.IsSet)
        {
            limit.Required("when maxFailedIndexes is specified");
        }

        if (most.Number > MaxIndexedParallelism)
        {
            most.Invalid($"must be less than or equal to {MaxIndexedParallelism}");
        }

        if (spec["completions"].IsSet && most.Number > spec["completions"].Number)
        {
            most.Invalid("must be less than or equal to completions");
        }

        if (!limit.IsSet || !(spec["completions"].Number > MaxIndexedParallelism))
        {
            return;
        }

        if (!most.IsSet)
        {
            most.Required($"must be specified when completions is above {MaxIndexedParallelism}");
        }

        foreach (var bounded in (ReadOnlySpan<Field>)[spec["parallelism"], most])
        {
            if (bounded.Number > MaxFailedIndexesOfMany)
            {
                bounded.Invalid($"must be less than or equal to {MaxFailedIndexesOfMany} when completions are above {MaxIndexedParallelism} and used with backoff limit per index");
            }
        }
    }

    private static void CheckRestartPolicy(Field policy, bool hasFailurePolicy)
    {
        if (policy.Text is not ("OnFailure" or "Never"))
        {
            policy.Add(FieldError.Required(policy.Path, "valid values: \"OnFailure\", \"Never\""));
        }
        else if (hasFailurePolicy && policy.Text != "Never")
        {
            policy.Add(FieldError.Invalid(policy.Path, Field.Printed(policy.Node), "only \"Never\" is supported when podFailurePolicy is specified"));
        }
    }

    private static void CheckFailurePolicy(Field spec)
    {
        foreach (var rule in spec["podFailurePolicy"]["rules"].Items)
        {
            rule["action"].RequiredOneOf("Count", "FailIndex", "FailJob", "Ignore");
            if (rule["action"].Text == "FailIndex" && !spec["backoffLimitPerIndex"].IsSet)
            {
                rule["action"].Invalid("requires the backoffLimitPerIndex to be set");
            }

            if (rule["onExitCodes"].IsSet == (rule["onPodConditions"].Count > 0))
            {
                rule.Invalid("specifying one of OnExitCodes and OnPodConditions is required");
            }

            var codes = rule["onExitCodes"];
            if (codes.IsSet)
            {
                codes["operator"].RequiredOneOf("In", "NotIn");
                if (codes["values"].Count == 0)
                {
                    codes["values"].Required("at least one value is required");
                }
            }

            foreach (var pattern in rule["onPodConditions"].Items)
            {
                pattern["type"].CheckRequired(Names.Qualified);
                pattern["status"].RequiredOneOf("False", "True", "Unknown");
            }
        }
    }
}
