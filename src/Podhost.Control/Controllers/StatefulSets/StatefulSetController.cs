using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Api.Selectors;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;
using Podhost.Control.Controllers.Workloads;
using Podhost.Control.Events;
using Podhost.Control.Objects;

namespace Podhost.Control.Controllers.StatefulSets;

/// <summary>Keeps the pods of StatefulSets: each with a name, a host name and claims of its own that outlive it.</summary>
public sealed class StatefulSetController : QueueController
{
    private static readonly OwnerKind<V1StatefulSet> Kind = new("apps/v1", "StatefulSet", s => LabelSelector.FromModel(s.Spec.Selector))
    {
        MayOwn = (set, pod) => StatefulIdentity.OrdinalOf(set, pod) is not null,
    };

    private readonly IApiClient _client;
    private readonly StatefulSetSources _sources;
    private readonly TimeProvider _time;
    private readonly Expectations _expectations;
    private readonly StatefulPodControl _control;
    private readonly OwnedPods<V1StatefulSet> _owned;
    private readonly RevisionHistory<V1StatefulSet> _history;
    private readonly InformerIndex<V1StatefulSet> _byNamespace;

    /// <summary>A controller.</summary>
    /// <param name="client">Writes pods, claims, revisions and statuses.</param>
    /// <param name="sources">What it reads.</param>
    /// <param name="events">Tells what was created and deleted.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public StatefulSetController(IApiClient client, StatefulSetSources sources, IEventSink events, TimeProvider time, ILoggerFactory logs)
        : base(2, time, logs.CreateLogger<StatefulSetController>())
    {
        (_client, _sources, _time, _expectations) = (client, sources, time, new Expectations(time));
        var control = new PodControl(client, events, _expectations);
        _control = new StatefulPodControl(client, sources.Claims, events, _expectations, control);
        _owned = new OwnedPods<V1StatefulSet>(client, Kind, sources.Sets, sources.Pods, control, _expectations);
        _history = new RevisionHistory<V1StatefulSet>(client, Kind, sources.Revisions);
        _byNamespace = sources.Sets.AddIndex(OwnerIndex.ByNamespace);
    }

    /// <inheritdoc />
    protected override IReadOnlyList<Task> Synced => [_sources.Sets.Synced, _sources.Pods.Synced, _sources.Revisions.Synced, _sources.Claims.Synced];

    /// <inheritdoc />
    protected override IEnumerable<IDisposable> Subscribe(WorkQueue<ObjectKey> queue)
    {
        yield return _sources.Sets.Subscribe(e =>
        {
            if (e.Type == WatchEventKind.Deleted)
            {
                _expectations.Forget(ObjectKey.Of(e.Object));
            }

            queue.Add(ObjectKey.Of(e.Object));
        });
        yield return _sources.Pods.Subscribe(e => _owned.Look(queue, e));
        yield return _sources.Claims.Subscribe(e =>
        {
            // A pod may wait for the end of a claim that went with the pod before it.
            if (e.Type == WatchEventKind.Deleted)
            {
                foreach (var set in _byNamespace.Get(e.Object.Metadata.NamespaceProperty).Where(s => s.Spec.VolumeClaimTemplates?.Count > 0))
                {
                    queue.Add(ObjectKey.Of(set));
                }
            }
        });
    }

    /// <inheritdoc />
    protected override Task ReconcileAsync(WorkQueue<ObjectKey> queue, ObjectKey key, CancellationToken cancellationToken) =>
        AttemptAsync(queue, key, _sources.Sets, set => ReconcileAsync(queue, key, set, cancellationToken));

    private async Task ReconcileAsync(WorkQueue<ObjectKey> queue, ObjectKey key, V1StatefulSet set, CancellationToken cancellationToken)
    {
        var mayDecide = _expectations.AreMet(key);
        var pods = await _owned.ClaimAsync(set, cancellationToken);
        var mine = await _history.ClaimAsync(set, cancellationToken);
        var collisions = set.Status?.CollisionCount ?? 0;
        if (set.Metadata.DeletionTimestamp is not null)
        {
            await TellAsync(set, pods, new StatefulRevisions(set.Status?.CurrentRevision ?? "", set.Status?.UpdateRevision ?? ""), collisions, cancellationToken);
            return;
        }

        (var update, collisions) = await _history.PresentAsync(set, set.Spec.Template, mine, collisions, cancellationToken);
        var current = mine.FirstOrDefault(r => r.Metadata.Name == set.Status?.CurrentRevision) ?? update;
        var revisions = new StatefulRevisions(current.Metadata.Name, update.Metadata.Name);

        // The status is told whatever becomes of the pods: a refused pod must not hide what is there.
        await TellAsync(set, pods, revisions, collisions, cancellationToken);
        if (mayDecide)
        {
            await ApplyAsync(queue, set, pods, revisions, RevisionRules.TemplateOf(current) ?? set.Spec.Template, cancellationToken);
        }

        var live = pods.Select(StatefulIdentity.RevisionOf).Append(revisions.Current).Append(revisions.Update).ToHashSet(StringComparer.Ordinal);
        await _history.TrimAsync(mine, live, set.Spec.RevisionHistoryLimit ?? 10, cancellationToken);
    }

    private async Task ApplyAsync(
        WorkQueue<ObjectKey> queue, V1StatefulSet set, IReadOnlyList<V1Pod> pods, StatefulRevisions revisions, V1PodTemplateSpec currentTemplate, CancellationToken cancellationToken)
    {
        var plan = StatefulSetDecider.Decide(set, pods, revisions, _time.GetUtcNow());
        if (plan.WakeAfter is { } wake)
        {
            queue.AddAfter(ObjectKey.Of(set), wake);
        }

        var (start, replicas) = (set.Spec.Ordinals?.Start ?? 0, set.Spec.Replicas ?? 1);
        foreach (var pod in plan.Tidy)
        {
            var ordinal = StatefulIdentity.OrdinalOf(set, pod)!.Value;
            await _control.TidyAsync(set, pod, ordinal, isScaledDown: ordinal < start || ordinal >= start + (long)replicas, cancellationToken);
        }

        foreach (var missing in plan.Create)
        {
            var (template, revision) = missing.IsUpdated ? (set.Spec.Template, revisions.Update) : (currentTemplate, revisions.Current);
            var pod = StatefulIdentity.Make(set, Kind.Reference(set), template, revision, missing.Ordinal);
            if (!_control.MustWait(set, pod, missing.Ordinal))
            {
                await _control.CreateAsync(set, pod, missing.Ordinal, cancellationToken);
            }
        }

        await Task.WhenAll(plan.Delete.Select(p => _control.DeleteAsync(set, p, cancellationToken)));
    }

    private async Task TellAsync(V1StatefulSet set, IReadOnlyList<V1Pod> pods, StatefulRevisions revisions, int collisions, CancellationToken cancellationToken)
    {
        var status = StatefulStatus.Of(set, pods, revisions, collisions, _time.GetUtcNow());
        if (set.Status is { } old && Models.Same(status, old))
        {
            return;
        }

        await _client.UpdateAsync(
            new V1StatefulSet { ApiVersion = Kind.ApiVersion, Kind = Kind.Kind, Metadata = set.Metadata, Spec = set.Spec, Status = status }, "status", cancellationToken);
    }
}
