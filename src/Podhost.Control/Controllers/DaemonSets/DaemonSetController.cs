using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Api.Selectors;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;
using Podhost.Control.Controllers.StatefulSets;
using Podhost.Control.Controllers.Workloads;
using Podhost.Control.Events;
using Podhost.Control.Objects;

namespace Podhost.Control.Controllers.DaemonSets;

/// <summary>Keeps a pod of each DaemonSet on each node that shall have one.</summary>
public sealed class DaemonSetController : QueueController
{
    private static readonly OwnerKind<V1DaemonSet> Kind = new("apps/v1", "DaemonSet", s => LabelSelector.FromModel(s.Spec.Selector));

    private readonly IApiClient _client;
    private readonly DaemonSetSources _sources;
    private readonly IEventSink _events;
    private readonly TimeProvider _time;
    private readonly Expectations _expectations;
    private readonly PodControl _control;
    private readonly OwnedPods<V1DaemonSet> _owned;
    private readonly RevisionHistory<V1DaemonSet> _history;
    private readonly FailedPodBackoff _backoff;

    /// <summary>A controller.</summary>
    /// <param name="client">Writes pods, revisions and statuses.</param>
    /// <param name="sources">What it reads.</param>
    /// <param name="events">Tells what was created and deleted.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public DaemonSetController(IApiClient client, DaemonSetSources sources, IEventSink events, TimeProvider time, ILoggerFactory logs)
        : base(2, time, logs.CreateLogger<DaemonSetController>())
    {
        (_client, _sources, _events, _time, _expectations, _backoff) = (client, sources, events, time, new Expectations(time), new FailedPodBackoff(time));
        _control = new PodControl(client, events, _expectations);
        _owned = new OwnedPods<V1DaemonSet>(client, Kind, sources.Sets, sources.Pods, _control, _expectations);
        _history = new RevisionHistory<V1DaemonSet>(client, Kind, sources.Revisions);
    }

    /// <inheritdoc />
    protected override IReadOnlyList<Task> Synced => [_sources.Sets.Synced, _sources.Pods.Synced, _sources.Nodes.Synced, _sources.Revisions.Synced];

    /// <inheritdoc />
    protected override IEnumerable<IDisposable> Subscribe(WorkQueue<ObjectKey> queue)
    {
        yield return _sources.Sets.Subscribe(e =>
        {
            if (e.Type == WatchEventKind.Deleted)
            {
                _expectations.Forget(ObjectKey.Of(e.Object));
                _backoff.Forget(e.Object.Metadata.Uid);
            }

            queue.Add(ObjectKey.Of(e.Object));
        });
        yield return _sources.Pods.Subscribe(e => _owned.Look(queue, e));
        yield return _sources.Nodes.Subscribe(e =>
        {
            if (e.Type == WatchEventKind.Deleted)
            {
                _backoff.ForgetNode(e.Object.Metadata.Name);
            }

            // Heartbeats place nothing anew.
            foreach (var set in _sources.Sets.List().Where(s =>
                e.Type != WatchEventKind.Modified || e.Previous is null || DaemonPods.PlaceOn(s, e.Previous) != DaemonPods.PlaceOn(s, e.Object)))
            {
                queue.Add(ObjectKey.Of(set));
            }
        });
    }

    /// <inheritdoc />
    protected override Task ReconcileAsync(WorkQueue<ObjectKey> queue, ObjectKey key, CancellationToken cancellationToken) =>
        AttemptAsync(queue, key, _sources.Sets, set => ReconcileAsync(queue, key, set, cancellationToken));

    private async Task ReconcileAsync(WorkQueue<ObjectKey> queue, ObjectKey key, V1DaemonSet set, CancellationToken cancellationToken)
    {
        var mayDecide = _expectations.AreMet(key);
        var pods = await _owned.ClaimAsync(set, cancellationToken);
        if (set.Metadata.DeletionTimestamp is not null)
        {
            return;
        }

        var mine = await _history.ClaimAsync(set, cancellationToken);
        var (revision, collisions) = await _history.PresentAsync(set, set.Spec.Template, mine, set.Status?.CollisionCount ?? 0, cancellationToken);
        var hash = HashOf(revision);
        string? refusal = null;
        if (mayDecide)
        {
            refusal = await ApplyAsync(queue, set, pods, hash, cancellationToken);
        }

        await TellAsync(set, pods, hash, collisions, cancellationToken);
        var used = pods.Select(StatefulIdentity.RevisionOf).Append(hash).ToHashSet(StringComparer.Ordinal);
        var live = mine.Where(r => used.Contains(HashOf(r))).Select(r => r.Metadata.Name).ToHashSet(StringComparer.Ordinal);
        await _history.TrimAsync(mine, live, set.Spec.RevisionHistoryLimit ?? 10, cancellationToken);
        if (refusal is not null)
        {
            queue.AddRateLimited(key);
        }
    }

    private static string HashOf(V1ControllerRevision revision) =>
        revision.Metadata.Labels?.TryGetValue(RevisionRules.PodRevision, out var hash) == true ? hash : revision.Metadata.Name;

    private async Task<string?> ApplyAsync(WorkQueue<ObjectKey> queue, V1DaemonSet set, IReadOnlyList<V1Pod> pods, string hash, CancellationToken cancellationToken)
    {
        var key = ObjectKey.Of(set);
        var plan = DaemonSetDecider.Decide(set, _sources.Nodes.List(), pods, hash, _time.GetUtcNow());
        if (plan.WakeAfter is { } wake)
        {
            queue.AddAfter(key, wake);
        }

        await _control.DeleteAsync(set, [.. plan.Delete, .. plan.Ended.Where(p => MayGo(queue, set, p))], cancellationToken);
        if (plan.Create.Count == 0)
        {
            return null;
        }

        var made = plan.Create.Select(node => DaemonPods.Make(set, Kind.Reference(set), hash, node)).ToList();
        return (await _control.CreateAsync(set, made, cancellationToken)).Refusal?.Message;
    }

    // A pod that fails again and again is kept a while, so that its node is not busy with nothing else.
    private bool MayGo(WorkQueue<ObjectKey> queue, V1DaemonSet set, V1Pod pod)
    {
        var (ns, name, node) = (pod.Metadata.NamespaceProperty, pod.Metadata.Name, DaemonPods.NodeOf(pod));
        if (pod.Status?.Phase == "Succeeded")
        {
            _events.Record(set, "Normal", "SucceededDaemonPod", $"Found succeeded daemon pod {ns}/{name} on node {node}, will try to delete it");
            return true;
        }

        if (_backoff.Left(set.Metadata.Uid, node) is { } left)
        {
            queue.AddAfter(ObjectKey.Of(set), left);
            return false;
        }

        _events.Record(set, "Warning", "FailedDaemonPod", $"Found failed daemon pod {ns}/{name} on node {node}, will try to kill it");
        return true;
    }

    private async Task TellAsync(V1DaemonSet set, IReadOnlyList<V1Pod> pods, string hash, int collisions, CancellationToken cancellationToken)
    {
        var status = DaemonStatus.Of(set, _sources.Nodes.List(), pods, hash, collisions, _time.GetUtcNow());
        if (set.Status is not { } old || !Models.Same(status, old))
        {
            await _client.UpdateAsync(
                new V1DaemonSet { ApiVersion = Kind.ApiVersion, Kind = Kind.Kind, Metadata = set.Metadata, Spec = set.Spec, Status = status }, "status", cancellationToken);
        }
    }
}
