using System.Globalization;
using Podhost.Control.Objects;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Schedules;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;
using Podhost.Control.Controllers.Jobs;
using Podhost.Control.Controllers.Workloads;
using Podhost.Control.Events;

namespace Podhost.Control.Controllers.CronJobs;

/// <summary>Starts a Job whenever a CronJob's schedule is due.</summary>
public sealed class CronJobController : QueueController
{
    private const string Kind = "CronJob";
    private const string ScheduledAt = "batch.kubernetes.io/cronjob-scheduled-timestamp";

    private readonly IApiClient _client;
    private readonly IInformer<V1CronJob> _crons;
    private readonly IInformer<V1Job> _jobs;
    private readonly InformerIndex<V1Job> _jobsByCron;
    private readonly IEventSink _events;
    private readonly TimeProvider _time;

    /// <summary>A controller.</summary>
    /// <param name="client">Writes jobs and statuses.</param>
    /// <param name="crons">All CronJobs.</param>
    /// <param name="jobs">All Jobs.</param>
    /// <param name="events">Tells what was started and what was missed.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public CronJobController(IApiClient client, IInformer<V1CronJob> crons, IInformer<V1Job> jobs, IEventSink events, TimeProvider time, ILoggerFactory logs)
        : base(1, time, logs.CreateLogger<CronJobController>())
    {
        _client = client;
        _crons = crons;
        _jobs = jobs;
        _jobsByCron = jobs.AddIndex(OwnerIndex.ByController);
        _events = events;
        _time = time;
    }

    /// <inheritdoc />
    protected override IReadOnlyList<Task> Synced => [_crons.Synced, _jobs.Synced];

    /// <inheritdoc />
    protected override IEnumerable<IDisposable> Subscribe(WorkQueue<ObjectKey> queue)
    {
        yield return _crons.Subscribe(e => queue.Add(ObjectKey.Of(e.Object)));
        yield return _jobs.Subscribe(e =>
        {
            if (Ownership.ControllerOf(e.Object) is { Kind: Kind } owner)
            {
                queue.Add(new ObjectKey(e.Object.Metadata.NamespaceProperty, owner.Name));
            }
        });
    }

    /// <inheritdoc />
    protected override Task ReconcileAsync(WorkQueue<ObjectKey> queue, ObjectKey key, CancellationToken cancellationToken) =>
        AttemptAsync(queue, key, _crons, cron => ReconcileAsync(queue, key, cron, cancellationToken));

    private async Task ReconcileAsync(WorkQueue<ObjectKey> queue, ObjectKey key, V1CronJob cron, CancellationToken cancellationToken)
    {
        // Validation has judged the schedule; one of an older version that it would refuse never is due.
        if (!CronSchedule.TryParse(cron.Spec.Schedule, out var schedule, out _) || !TimeZoneInfo.TryFindSystemTimeZoneById(cron.Spec.TimeZone ?? "UTC", out var zone))
        {
            return;
        }

        var jobs = await KnownAsync(cron, cancellationToken);
        var active = jobs.Where(j => !JobNames.IsFinished(j)).ToList();
        var plan = CronJobDecider.Decide(cron, schedule!, zone, active, _time.GetUtcNow());
        if (plan.Event is var (reason, message))
        {
            _events.Record(cron, "Warning", reason, message);
        }

        await DeleteAsync(cron, plan.Replace, cancellationToken);
        var started = plan.Due is { } due ? await StartAsync(cron, due, cancellationToken) : null;
        await TellAsync(cron, [.. active.Except(plan.Replace), .. started is null ? [] : new[] { started }], [.. jobs.Except(plan.Replace)], plan, cancellationToken);
        await DeleteAsync(cron, CronJobDecider.Outdated(cron, jobs), cancellationToken);
        if (plan.WakeAfter is { } wake)
        {
            queue.AddAfter(key, wake);
        }
    }

    /// <summary>The jobs of a CronJob: those that the copy shows, and those that its status names and the copy may not show yet.</summary>
    private async Task<List<V1Job>> KnownAsync(V1CronJob cron, CancellationToken cancellationToken)
    {
        var jobs = _jobsByCron.Get(cron.Metadata.Uid).ToList();
        foreach (var named in (cron.Status?.Active ?? []).Where(a => jobs.All(j => j.Metadata.Uid != a.Uid)).ToList())
        {
            try
            {
                var there = await _client.GetAsync<V1Job>(cron.Metadata.NamespaceProperty, named.Name, cancellationToken);
                if (there.Metadata.Uid == named.Uid)
                {
                    jobs.Add(there);
                }
            }
            catch (ApiException e) when (e.IsNotFound)
            {
                // Gone: it goes out of the status.
            }
        }

        return jobs;
    }

    private async Task<V1Job?> StartAsync(V1CronJob cron, DateTimeOffset due, CancellationToken cancellationToken)
    {
        var template = cron.Spec.JobTemplate;
        var annotations = new Dictionary<string, string>(template.Metadata?.Annotations ?? new Dictionary<string, string>())
        {
            [ScheduledAt] = due.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        };
        var job = new V1Job
        {
            ApiVersion = "batch/v1",
            Kind = "Job",
            Metadata = new V1ObjectMeta
            {
                // The name tells the time: a second start for the same one is refused.
                Name = $"{cron.Metadata.Name}-{due.ToUnixTimeSeconds() / 60}",
                NamespaceProperty = cron.Metadata.NamespaceProperty,
                Labels = template.Metadata?.Labels,
                Annotations = annotations,
                OwnerReferences = [Ownership.Reference(cron, "batch/v1", Kind)],
            },
            Spec = ObjectCodec.ToModel<V1JobSpec>(ObjectCodec.ToUtf8(template.Spec)),
        };
        try
        {
            var created = await _client.CreateAsync(job, cancellationToken);
            _events.Record(cron, "Normal", "SuccessfulCreate", $"Created job {created.Metadata.Name}");
            return created;
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            return null;
        }
    }

    private async Task TellAsync(V1CronJob cron, IReadOnlyList<V1Job> active, List<V1Job> jobs, CronPlan plan, CancellationToken cancellationToken)
    {
        var status = new V1CronJobStatus
        {
            Active = active.Count == 0 ? null : [.. active.OrderBy(j => j.Metadata.Name, StringComparer.Ordinal).Select(Reference)],
            LastScheduleTime = plan.Due?.UtcDateTime ?? cron.Status?.LastScheduleTime,
            LastSuccessfulTime = jobs.Where(j => JobNames.Has(j, "Complete")).Select(j => j.Status.CompletionTime).Append(cron.Status?.LastSuccessfulTime).Max(),
        };
        foreach (var ended in (cron.Status?.Active ?? []).Where(a => active.Concat(plan.Replace).All(j => j.Metadata.Uid != a.Uid)))
        {
            var verdict = jobs.FirstOrDefault(j => j.Metadata.Uid == ended.Uid) is { } job ? JobNames.Has(job, "Complete") ? "Complete" : "Failed" : null;
            var (reason, message) = verdict is null ? ("MissingJob", $"Active job went missing: {ended.Name}") : ("SawCompletedJob", $"Saw completed job: {ended.Name}, condition: {verdict}");
            _events.Record(cron, "Normal", reason, message);
        }

        // Nobody else makes jobs in the name of a CronJob: this one was made and not noted, or somebody wants it to be adopted.
        foreach (var other in active.Where(j => cron.Status?.Active?.Any(a => a.Uid == j.Metadata.Uid) != true && !IsByName(cron, j)))
        {
            _events.Record(cron, "Warning", "UnexpectedJob", $"Saw a job that the controller did not create or forgot: {other.Metadata.Name}");
        }

        if (!Models.Same(status, cron.Status ?? new V1CronJobStatus()))
        {
            await _client.UpdateAsync(
                new V1CronJob { ApiVersion = "batch/v1", Kind = Kind, Metadata = cron.Metadata, Spec = cron.Spec, Status = status }, "status", cancellationToken);
        }
    }

    private async Task DeleteAsync(V1CronJob cron, IEnumerable<V1Job> jobs, CancellationToken cancellationToken)
    {
        foreach (var job in jobs.Where(j => j.Metadata.DeletionTimestamp is null).ToList())
        {
            var options = new V1DeleteOptions { PropagationPolicy = "Background", Preconditions = new V1Preconditions { Uid = job.Metadata.Uid } };
            await _client.DeleteAsync<V1Job>(job.Metadata.NamespaceProperty, job.Metadata.Name, options, cancellationToken);
            _events.Record(cron, "Normal", "SuccessfulDelete", $"Deleted job {job.Metadata.Name}");
        }
    }

    private static bool IsByName(V1CronJob cron, V1Job job) =>
        job.Metadata.Name.StartsWith(cron.Metadata.Name + "-", StringComparison.Ordinal)
        && long.TryParse(job.Metadata.Name.AsSpan(cron.Metadata.Name.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out _);

    private static V1ObjectReference Reference(V1Job job) => new()
    {
        ApiVersion = "batch/v1",
        Kind = "Job",
        Name = job.Metadata.Name,
        NamespaceProperty = job.Metadata.NamespaceProperty,
        Uid = job.Metadata.Uid,
        ResourceVersion = null,
    };
}
