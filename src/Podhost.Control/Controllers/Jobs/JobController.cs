using Podhost.Control.Objects;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Selectors;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;
using Podhost.Control.Controllers.Workloads;
using Podhost.Control.Events;

namespace Podhost.Control.Controllers.Jobs;

/// <summary>Runs Jobs to their completion, counts each end of a pod once, and deletes finished jobs after their time to live.</summary>
public sealed class JobController : QueueController
{
    private const string KindName = "Job";
    private const string StrayPrefix = "pods/";

    private static readonly OwnerKind<V1Job> Kind = new("batch/v1", KindName, j => LabelSelector.FromModel(j.Spec.Selector))
    {
        Finalizer = JobNames.Tracking,
        AdoptsFinished = true,
    };

    private readonly IApiClient _client;
    private readonly IInformer<V1Job> _jobs;
    private readonly IInformer<V1Pod> _pods;
    private readonly InformerIndex<V1Pod> _podsByJob;
    private readonly InformerIndex<V1Job> _jobsByNamespace;
    private readonly IEventSink _events;
    private readonly TimeProvider _time;
    private readonly Expectations _expectations;
    private readonly PodControl _control;
    private readonly OwnedPods<V1Job> _owned;

    /// <summary>A controller.</summary>
    /// <param name="client">Writes pods and statuses.</param>
    /// <param name="jobs">All Jobs.</param>
    /// <param name="pods">All pods.</param>
    /// <param name="events">Tells what was created and how a job ended.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public JobController(IApiClient client, IInformer<V1Job> jobs, IInformer<V1Pod> pods, IEventSink events, TimeProvider time, ILoggerFactory logs)
        : base(2, time, logs.CreateLogger<JobController>())
    {
        _client = client;
        _jobs = jobs;
        _pods = pods;
        _podsByJob = pods.AddIndex(OwnerIndex.ByControllerName);
        _jobsByNamespace = jobs.AddIndex(OwnerIndex.ByNamespace);
        _events = events;
        _time = time;
        _expectations = new Expectations(time);
        _control = new PodControl(client, events, _expectations);
        _owned = new OwnedPods<V1Job>(client, Kind, jobs, pods, _control, _expectations);
    }

    /// <inheritdoc />
    protected override IReadOnlyList<Task> Synced => [_jobs.Synced, _pods.Synced];

    /// <inheritdoc />
    protected override IEnumerable<IDisposable> Subscribe(WorkQueue<ObjectKey> queue)
    {
        yield return _jobs.Subscribe(e => queue.Add(ObjectKey.Of(e.Object)));
        yield return _pods.Subscribe(e =>
        {
            _owned.Look(queue, e);
            if (JobNames.IsTracked(e.Object) && Ownership.ControllerOf(e.Object) is null)
            {
                queue.Add(Stray(e.Object));
            }
        });
    }

    // No job has such a name: it stands for a pod that nobody counts any more.
    private static ObjectKey Stray(V1Pod pod) => new(pod.Metadata.NamespaceProperty, StrayPrefix + pod.Metadata.Name);

    /// <inheritdoc />
    protected override Task ReconcileAsync(WorkQueue<ObjectKey> queue, ObjectKey key, CancellationToken cancellationToken) =>
        key.Name.StartsWith(StrayPrefix, StringComparison.Ordinal)
            ? UnbindStrayAsync(key.Namespace, key.Name[StrayPrefix.Length..], cancellationToken)
            : ReconcileJobAsync(queue, key, cancellationToken);

    private async Task ReconcileJobAsync(WorkQueue<ObjectKey> queue, ObjectKey key, CancellationToken cancellationToken)
    {
        var job = _jobs.Get(key.Namespace, key.Name);
        if (job is null)
        {
            _expectations.Forget(key);
        }

        // Pods of a job that is gone are counted by nobody.
        var named = _podsByJob.Get(OwnerIndex.Named(KindName, key.Namespace, key.Name));
        await Task.WhenAll(named.Where(p => job is null || job.Metadata.DeletionTimestamp is not null || !Ownership.Controls(job, p))
            .Select(p => _control.UnbindAsync(p, JobNames.Tracking, cancellationToken)));
        if (job is null || job.Metadata.DeletionTimestamp is not null || job.Spec.ManagedBy is { } other && other != "kubernetes.io/job-controller")
        {
            return;
        }

        await AttemptAsync(queue, key, _jobs, async current =>
        {
            var mayDecide = _expectations.AreMet(key);
            await StepAsync(queue, current, await _owned.ClaimAsync(current, cancellationToken), mayDecide, cancellationToken);
        });
    }

    // A pod whose owner let it go, and that no job takes, has nobody who would take its finalizer off.
    private async Task UnbindStrayAsync(string? ns, string name, CancellationToken cancellationToken)
    {
        if (_pods.Get(ns, name) is { } pod && Ownership.ControllerOf(pod) is null
            && !_jobsByNamespace.Get(ns ?? "").Any(j => j.Metadata.DeletionTimestamp is null && Kind.SelectorOf(j).Selects(pod.Metadata)))
        {
            await _control.UnbindAsync(pod, JobNames.Tracking, cancellationToken);
        }
    }

    private async Task StepAsync(WorkQueue<ObjectKey> queue, V1Job job, IReadOnlyList<V1Pod> pods, bool mayDecide, CancellationToken cancellationToken)
    {
        var key = ObjectKey.Of(job);
        if (JobNames.IsFinished(job) && await EndAsync(queue, key, job, cancellationToken))
        {
            return;
        }

        var plan = JobDecider.Decide(job, pods, _time.GetUtcNow());
        if (!await TellAsync(job, plan.Status, cancellationToken))
        {
            return;
        }

        await Task.WhenAll(plan.Settled.Select(p => _control.UnbindAsync(p, JobNames.Tracking, cancellationToken)));
        if (plan.WakeAfter is { } wake && wake > TimeSpan.Zero)
        {
            queue.AddAfter(key, wake);
        }

        if (!mayDecide)
        {
            return;
        }

        await _control.DeleteAsync(job, plan.Delete, cancellationToken);
        if (plan.Create.Count > 0)
        {
            var made = plan.Create.Select(i => JobPods.Make(job, i, plan.Replaced.GetValueOrDefault(i))).ToList();
            if ((await _control.CreateAsync(job, made, cancellationToken)).Refusal is not null)
            {
                queue.AddRateLimited(key);
            }
        }
    }

    /// <summary>Deletes a finished job whose time to live is over; true where it did.</summary>
    private async Task<bool> EndAsync(WorkQueue<ObjectKey> queue, ObjectKey key, V1Job job, CancellationToken cancellationToken)
    {
        if (job.Spec.TtlSecondsAfterFinished is not { } seconds)
        {
            return false;
        }

        var end = job.Status.Conditions.Where(c => c.Type is "Complete" or "Failed" && c.Status == "True").Select(c => c.LastTransitionTime).Max();
        var left = (end?.ToUniversalTime() ?? _time.GetUtcNow().UtcDateTime) + TimeSpan.FromSeconds(seconds) - _time.GetUtcNow().UtcDateTime;
        if (left > TimeSpan.Zero)
        {
            queue.AddAfter(key, left);
            return false;
        }

        var options = new V1DeleteOptions { PropagationPolicy = "Foreground", Preconditions = new V1Preconditions { Uid = job.Metadata.Uid } };
        await _client.DeleteAsync<V1Job>(job.Metadata.NamespaceProperty, job.Metadata.Name, options, cancellationToken);
        return true;
    }

    /// <summary>Writes the status where it differs. Nothing else is done before the new one has come back, so that no end counts twice.</summary>
    /// <returns>True where it was so already.</returns>
    private async Task<bool> TellAsync(V1Job job, V1JobStatus status, CancellationToken cancellationToken)
    {
        if (Models.Same(status, job.Status ?? new V1JobStatus()))
        {
            return true;
        }

        await _client.UpdateAsync(new V1Job { ApiVersion = Kind.ApiVersion, Kind = Kind.Kind, Metadata = job.Metadata, Spec = job.Spec, Status = status }, "status", cancellationToken);
        Announce(job, status);
        return false;
    }

    private void Announce(V1Job job, V1JobStatus status)
    {
        foreach (var condition in (status.Conditions ?? []).Where(c => c.Status == "True" && !JobNames.Has(job, c.Type)))
        {
            switch (condition.Type)
            {
                case "Complete":
                    _events.Record(job, "Normal", "Completed", "Job completed");
                    break;
                case "Failed":
                    _events.Record(job, "Warning", condition.Reason, condition.Message);
                    break;
                case "Suspended":
                    _events.Record(job, "Normal", "Suspended", "Job suspended");
                    break;
            }
        }

        if (JobNames.Has(job, "Suspended") && status.Conditions?.Any(c => c.Type == "Suspended" && c.Status == "False") == true)
        {
            _events.Record(job, "Normal", "Resumed", "Job resumed");
        }
    }
}
