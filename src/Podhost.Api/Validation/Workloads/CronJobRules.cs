using Podhost.Api.Schedules;
using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Workloads;

/// <summary>CronJobs. Source: upstream's ValidateCronJobCreate.</summary>
internal static class CronJobRules
{
    // A job's name is the CronJob's and eleven more characters: a DNS label of 63 in all.
    private const int MaxNameLength = 52;

    public static void Create(Field cron)
    {
        ObjectMetaRules.CheckCreate(cron["metadata"], namespaced: true, Names.DnsSubdomain);
        if (cron["metadata"]["name"].Text.Length > MaxNameLength)
        {
            cron["metadata"]["name"].Invalid($"must be no more than {MaxNameLength} characters");
        }

        CheckSpec(cron["spec"]);
    }

    public static void Update(Field cron, Field old, string subresource)
    {
        ObjectMetaRules.CheckUpdate(cron["metadata"], old["metadata"]);
        if (subresource != "status")
        {
            CheckSpec(cron["spec"]);
        }
    }

    private static void CheckSpec(Field spec)
    {
        CheckSchedule(spec);
        foreach (var name in (ReadOnlySpan<string>)["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"])
        {
            spec[name].NotNegative();
        }

        spec["concurrencyPolicy"].RequiredOneOf("Allow", "Forbid", "Replace");
        var job = spec["jobTemplate"]["spec"];
        JobRules.CheckSpec(job);
        if (job["manualSelector"].Flag)
        {
            job["manualSelector"].Add(FieldError.NotSupported(job["manualSelector"].Path, "true", ["nil", "false"]));
        }
    }

    private static void CheckSchedule(Field spec)
    {
        var schedule = spec["schedule"];
        if (schedule.Text.Length == 0)
        {
            schedule.Required();
        }
        else if (schedule.Text.Contains("TZ", StringComparison.Ordinal))
        {
            schedule.Invalid("cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
        }
        else if (!CronSchedule.TryParse(schedule.Text, out _, out var fault))
        {
            schedule.Invalid(fault);
        }

        var zone = spec["timeZone"];
        if (zone.IsSet && (zone.Text.Length == 0 || zone.Text.Equals("local", StringComparison.OrdinalIgnoreCase) || !TimeZoneInfo.TryFindSystemTimeZoneById(zone.Text, out _)))
        {
            zone.Invalid(zone.Text.Length == 0 ? "timeZone must be nil or non-empty string" : "unknown time zone " + zone.Text);
        }
    }
}
