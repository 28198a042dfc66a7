using k8s.Models;
using Podhost.Api.Schedules;

namespace Podhost.Control.Controllers.CronJobs;

/// <summary>What a CronJob needs next.</summary>
/// <param name="Due">The scheduled time to start a job for; null for none.</param>
/// <param name="Replace">Jobs to delete first.</param>
/// <param name="WakeAfter">The time until the schedule is due again; null where it never is.</param>
/// <param name="Event">What to tell: reason and message of a warning; null for nothing.</param>
internal sealed record CronPlan(DateTimeOffset? Due, IReadOnlyList<V1Job> Replace, TimeSpan? WakeAfter, (string Reason, string Message)? Event = null);

/// <summary>Pure decisions about a CronJob. Source: upstream's cronjob controller, syncCronJob.</summary>
internal static class CronJobDecider
{
    // Beyond this a clock has jumped or a controller was away for long: upstream says so in an event.
    private const int TooManyMissed = 100;

    /// <summary>The next step.</summary>
    /// <param name="cron">The CronJob.</param>
    /// <param name="schedule">Its schedule.</param>
    /// <param name="zone">Its time zone.</param>
    /// <param name="active">Its jobs that have not ended.</param>
    /// <param name="now">The time.</param>
    public static CronPlan Decide(V1CronJob cron, CronSchedule schedule, TimeZoneInfo zone, IReadOnlyList<V1Job> active, DateTimeOffset now)
    {
        TimeSpan? wake = schedule.Next(now, zone) is { } next ? next - now : null;
        if (cron.Spec.Suspend == true || cron.Metadata.DeletionTimestamp is not null)
        {
            return new CronPlan(null, [], null);
        }

        var (due, missed) = LastDue(cron, schedule, zone, now);
        if (due is not { } at)
        {
            return new CronPlan(null, [], wake);
        }

        (string, string)? warning = missed > TooManyMissed
            ? ("TooManyMissedTimes", $"too many missed start times: {missed}. Set or decrease .spec.startingDeadlineSeconds or check clock skew")
            : null;
        if (cron.Spec.StartingDeadlineSeconds is { } deadline && at + TimeSpan.FromSeconds(deadline) < now)
        {
            return new CronPlan(null, [], wake, ("MissSchedule", $"Missed scheduled time to start a job: {at.UtcDateTime:R}"));
        }

        return cron.Spec.ConcurrencyPolicy switch
        {
            "Forbid" when active.Count > 0 => new CronPlan(null, [], wake, ("JobAlreadyActive", "Not starting job because prior execution is running and concurrency policy is Forbid")),
            "Replace" => new CronPlan(at, active, wake, warning),
            _ => new CronPlan(at, [], wake, warning),
        };
    }

    /// <summary>Finished jobs beyond the limits, the oldest first.</summary>
    public static IEnumerable<V1Job> Outdated(V1CronJob cron, IEnumerable<V1Job> jobs)
    {
        var ended = jobs.Select(j => (Job: j, Succeeded: Jobs.JobNames.Has(j, "Complete"), Failed: Jobs.JobNames.Has(j, "Failed"))).ToList();
        return Beyond(ended.Where(j => j.Succeeded).Select(j => j.Job), cron.Spec.SuccessfulJobsHistoryLimit)
            .Concat(Beyond(ended.Where(j => j.Failed).Select(j => j.Job), cron.Spec.FailedJobsHistoryLimit));
    }

    private static IEnumerable<V1Job> Beyond(IEnumerable<V1Job> jobs, int? limit) =>
        limit is { } most ? jobs.OrderByDescending(j => j.Status?.StartTime ?? j.Metadata.CreationTimestamp).Skip(most) : [];

    /// <summary>The last time that was due since the last job, and how many were since then.</summary>
    private static (DateTimeOffset? Due, int Missed) LastDue(V1CronJob cron, CronSchedule schedule, TimeZoneInfo zone, DateTimeOffset now)
    {
        var since = Utc(cron.Status?.LastScheduleTime) ?? Utc(cron.Metadata.CreationTimestamp) ?? now;
        if (cron.Spec.StartingDeadlineSeconds is { } deadline && now - TimeSpan.FromSeconds(deadline) is var earliest && earliest > since)
        {
            since = earliest;
        }

        DateTimeOffset? due = null;
        var missed = 0;
        for (var at = schedule.Next(since, zone); at is { } time && time <= now; at = schedule.Next(time, zone))
        {
            due = time;
            missed++;

            // Nobody needs to count all minutes of a year: what is left is found from close to now.
            if (missed > TooManyMissed && schedule.Next(now - TimeSpan.FromDays(1), zone) is { } recent && recent > time && recent <= now)
            {
                at = recent;
                time = recent;
            }
        }

        return (due, missed);
    }

    private static DateTimeOffset? Utc(DateTime? time) => time is { } t ? new DateTimeOffset(t.ToUniversalTime()) : null;
}
