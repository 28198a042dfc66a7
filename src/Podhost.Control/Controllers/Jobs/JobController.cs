using System.Text.Json.Nodes;
using Podhost.Control.Objects;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;
using Podhost.Control.Controllers.Workloads;
using Podhost.Control.Events;

namespace Podhost.Control.Controllers.Jobs;

/// <summary>Runs Jobs to their completion, counts each end of a pod once, and deletes finished jobs after their time to live.</summary>
public sealed class JobController : QueueController
{
    private const string Kind = "Job";

    private readonly IApiClient _client;
    private readonly IInformer<V1Job> _jobs;
    private readonly IInformer<V1Pod> _pods;
    private readonly InformerIndex<V1Pod> _podsByJob;
    private readonly IEventSink _events;
    private readonly TimeProvider _time;
    private readonly Expectations _expectations;
    private readonly PodControl _control;

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
        _events = events;
        _time = time;
        _expectations = new Expectations(time);
        _control = new PodControl(client, events, _expectations);
    }

    /// <inheritdoc />
    protected override IReadOnlyList<Task> Synced => [_jobs.Synced, _pods.Synced];

    /// <inheritdoc />
    protected override IEnumerable<IDisposable> Subscribe(WorkQueue<ObjectKey> queue)
    {
        yield return _jobs.Subscribe(e => queue.Add(ObjectKey.Of(e.Object)));
        yield return _pods.Subscribe(e => Look(queue, e));
    }

    private void Look(WorkQueue<ObjectKey> queue, InformerEvent<V1Pod> change)
    {
        if (Ownership.ControllerOf(change.Object) is not { Kind: Kind } owner)
        {
            return;
        }

        var key = new ObjectKey(change.Object.Metadata.NamespaceProperty, owner.Name);
        if (change.Type == WatchEventKind.Added && change.Object.Metadata.DeletionTimestamp is null)
        {
            _expectations.CreationSeen(key);
        }

        if (change.Type == WatchEventKind.Deleted || change.Object.Metadata.DeletionTimestamp is not null)
        {
            _expectations.DeletionSeen(key, change.Object.Metadata.Uid);
        }

        queue.Add(key);
    }

    /// <inheritdoc />
    protected override async Task ReconcileAsync(WorkQueue<ObjectKey> queue, ObjectKey key, CancellationToken cancellationToken)
    {
        var job = _jobs.Get(key.Namespace, key.Name);
        var named = _podsByJob.Get(OwnerIndex.Named(Kind, key.Namespace, key.Name));
        if (job is null)
        {
            _expectations.Forget(key);
        }

        // Pods of a job that is gone are counted by nobody.
        await Task.WhenAll(named.Where(p => job is null || job.Metadata.DeletionTimestamp is not null || !Ownership.Controls(job, p)).Select(p => ReleaseAsync(p, cancellationToken)));
        if (job is null || job.Metadata.DeletionTimestamp is not null || job.Spec.ManagedBy is { } other && other != "kubernetes.io/job-controller")
        {
            return;
        }

        try
        {
            await StepAsync(queue, key, job, [.. named.Where(p => Ownership.Controls(job, p))], cancellationToken);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // Gone.
        }
        catch (ApiException e) when (e.IsConflict)
        {
            queue.AddRateLimited(key);
        }
    }

    private async Task StepAsync(WorkQueue<ObjectKey> queue, ObjectKey key, V1Job job, IReadOnlyList<V1Pod> pods, CancellationToken cancellationToken)
    {
        if (JobNames.IsFinished(job) && await EndAsync(queue, key, job, cancellationToken))
        {
            return;
        }

        var plan = JobDecider.Decide(job, pods, _time.GetUtcNow());
        if (!await TellAsync(job, plan.Status, cancellationToken))
        {
            return;
        }

        await Task.WhenAll(plan.Settled.Select(p => ReleaseAsync(p, cancellationToken)));
        if (plan.WakeAfter is { } wake && wake > TimeSpan.Zero)
        {
            queue.AddAfter(key, wake);
        }

        if (!_expectations.AreMet(key))
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

        await _client.UpdateAsync(new V1Job { ApiVersion = "batch/v1", Kind = Kind, Metadata = job.Metadata, Spec = job.Spec, Status = status }, "status", cancellationToken);
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

    private async Task ReleaseAsync(V1Pod pod, CancellationToken cancellationToken)
    {
        if (!JobNames.IsTracked(pod))
        {
            return;
        }

        var finalizers = new JsonArray([.. pod.Metadata.Finalizers.Where(f => f != JobNames.Tracking).Select(f => (JsonNode)f)]);
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = pod.Metadata.Uid, ["finalizers"] = finalizers } };
        try
        {
            await _client.PatchAsync<V1Pod>(pod.Metadata.NamespaceProperty, pod.Metadata.Name, PatchKind.Merge, patch, null, cancellationToken);
        }
        catch (ApiException e) when (e.IsNotFound || e.IsConflict)
        {
            // Gone, or another of its name.
        }
    }
}
