using System.Globalization;
using System.Text.Json.Nodes;
using Podhost.Control.Objects;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Selectors;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;
using Podhost.Control.Controllers.Workloads;
using Podhost.Control.Events;

namespace Podhost.Control.Controllers.Deployments;

/// <summary>Rolls Deployments out: a ReplicaSet for each template, sized step by step as <see cref="RolloutDecider"/> says.</summary>
public sealed class DeploymentController : QueueController
{
    private const string Kind = "Deployment";
    private const string ApiVersion = "apps/v1";

    private readonly IApiClient _client;
    private readonly IInformer<V1Deployment> _deployments;
    private readonly IInformer<V1ReplicaSet> _sets;
    private readonly IInformer<V1Pod> _pods;
    private readonly InformerIndex<V1Deployment> _byNamespace;
    private readonly InformerIndex<V1ReplicaSet> _setsByOwner;
    private readonly InformerIndex<V1Pod> _podsBySet;
    private readonly IEventSink _events;
    private readonly TimeProvider _time;

    /// <summary>A controller.</summary>
    /// <param name="client">Writes ReplicaSets and statuses.</param>
    /// <param name="deployments">All Deployments.</param>
    /// <param name="sets">All ReplicaSets.</param>
    /// <param name="pods">All pods: Recreate waits for the end of the old ones.</param>
    /// <param name="events">Tells what was scaled.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public DeploymentController(
        IApiClient client,
        IInformer<V1Deployment> deployments,
        IInformer<V1ReplicaSet> sets,
        IInformer<V1Pod> pods,
        IEventSink events,
        TimeProvider time,
        ILoggerFactory logs)
        : base(2, time, logs.CreateLogger<DeploymentController>())
    {
        _client = client;
        _deployments = deployments;
        _sets = sets;
        _pods = pods;
        _byNamespace = deployments.AddIndex(OwnerIndex.ByNamespace);
        _setsByOwner = sets.AddIndex(OwnerIndex.ByController);
        _podsBySet = pods.AddIndex(OwnerIndex.ByController);
        _events = events;
        _time = time;
    }

    /// <inheritdoc />
    protected override IReadOnlyList<Task> Synced => [_deployments.Synced, _sets.Synced, _pods.Synced];

    /// <inheritdoc />
    protected override IEnumerable<IDisposable> Subscribe(WorkQueue<ObjectKey> queue)
    {
        yield return _deployments.Subscribe(e => queue.Add(ObjectKey.Of(e.Object)));
        yield return _sets.Subscribe(e => Look(queue, e.Object));
        yield return _pods.Subscribe(e =>
        {
            // Only Recreate waits for pods themselves, and only for their end.
            if (e.Type == WatchEventKind.Deleted && Ownership.ControllerOf(e.Object) is { Kind: "ReplicaSet" } owner
                && _sets.Get(e.Object.Metadata.NamespaceProperty, owner.Name) is { } set)
            {
                Look(queue, set);
            }
        });
    }

    private void Look(WorkQueue<ObjectKey> queue, V1ReplicaSet set)
    {
        if (Ownership.ControllerOf(set) is { } owner)
        {
            if (owner.Kind == Kind)
            {
                queue.Add(new ObjectKey(set.Metadata.NamespaceProperty, owner.Name));
            }

            return;
        }

        foreach (var deployment in _byNamespace.Get(set.Metadata.NamespaceProperty).Where(d => Selects(d, set)))
        {
            queue.Add(ObjectKey.Of(deployment));
        }
    }

    /// <inheritdoc />
    protected override Task ReconcileAsync(WorkQueue<ObjectKey> queue, ObjectKey key, CancellationToken cancellationToken) =>
        AttemptAsync(queue, key, _deployments, deployment => ReconcileAsync(queue, key, deployment, cancellationToken));

    private async Task ReconcileAsync(WorkQueue<ObjectKey> queue, ObjectKey key, V1Deployment deployment, CancellationToken cancellationToken)
    {
        var sets = await ClaimAsync(deployment, cancellationToken);
        var current = Current(deployment, sets);
        if (deployment.Metadata.DeletionTimestamp is not null)
        {
            await TellAsync(deployment, sets, current, isNew: false, cancellationToken);
            return;
        }

        if (deployment.Spec.Paused != true && Rollback.Decide(deployment, sets) is { } back)
        {
            await _client.UpdateAsync(back.Deployment, null, cancellationToken);
            _events.Record(deployment, back.Type, back.Reason, back.Message);
            return;
        }

        (sets, current, var isNew) = await StepAsync(deployment, sets, current, cancellationToken);
        var status = await TellAsync(deployment, sets, current, isNew, cancellationToken);
        if (RolloutStatus.Deadline(deployment, status, _time.GetUtcNow()) is { } left)
        {
            queue.AddAfter(key, left);
        }

        if (RolloutStatus.IsComplete(deployment, status))
        {
            await TrimAsync(deployment, sets, current, cancellationToken);
        }
    }

    private async Task<(IReadOnlyList<V1ReplicaSet> Sets, V1ReplicaSet? Current, bool IsNew)> StepAsync(
        V1Deployment deployment, IReadOnlyList<V1ReplicaSet> sets, V1ReplicaSet? current, CancellationToken cancellationToken)
    {
        if (current is not null && deployment.Spec.Paused != true)
        {
            current = await ReviseAsync(deployment, sets, current, cancellationToken);
            sets = [.. sets.Where(s => s.Metadata.Uid != current.Metadata.Uid), current];
        }

        var plan = RolloutDecider.Decide(deployment, sets, current, OldPodsAlive(deployment, sets, current));
        if (plan.NeedsNew)
        {
            var made = await MakeAsync(deployment, sets, cancellationToken);
            return ([.. sets.Where(s => s.Metadata.Uid != made.Metadata.Uid), made], made, true);
        }

        var after = new List<V1ReplicaSet>();
        foreach (var set in sets)
        {
            after.Add(await SizeAsync(deployment, set, plan.Sizes.TryGetValue(set.Metadata.Name, out var size) ? size : set.Spec.Replicas ?? 1, cancellationToken));
        }

        return (after, after.FirstOrDefault(s => s.Metadata.Uid == current?.Metadata.Uid), false);
    }

    private bool OldPodsAlive(V1Deployment deployment, IReadOnlyList<V1ReplicaSet> sets, V1ReplicaSet? current)
    {
        if (deployment.Spec.Strategy?.Type != "Recreate")
        {
            return false;
        }

        return sets.Where(s => s.Metadata.Uid != current?.Metadata.Uid).SelectMany(s => _podsBySet.Get(s.Metadata.Uid)).Any(p => !PodStates.IsFinished(p));
    }

    private async Task<V1ReplicaSet> MakeAsync(V1Deployment deployment, IReadOnlyList<V1ReplicaSet> sets, CancellationToken cancellationToken)
    {
        var set = ReplicaSetFactory.Make(deployment, sets, RolloutNumbers.Of(deployment));
        try
        {
            var created = await _client.CreateAsync(set, cancellationToken);
            await MarkAsync(deployment, DeploymentNames.RevisionOf(created.Metadata), cancellationToken);
            if (created.Spec.Replicas > 0)
            {
                _events.Record(deployment, "Normal", "ScalingReplicaSet", $"Scaled up replica set {created.Metadata.Name} from 0 to {created.Spec.Replicas}");
            }

            return created;
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            return await ResolveAsync(deployment, set, cancellationToken);
        }
    }

    /// <summary>A set of that name is there: ours, of which the copy does not know yet, or one of another template.</summary>
    private async Task<V1ReplicaSet> ResolveAsync(V1Deployment deployment, V1ReplicaSet wanted, CancellationToken cancellationToken)
    {
        var found = await _client.GetAsync<V1ReplicaSet>(wanted.Metadata.NamespaceProperty, wanted.Metadata.Name, cancellationToken);
        if (Ownership.Controls(deployment, found) && DeploymentNames.SameTemplate(found.Spec.Template, deployment.Spec.Template))
        {
            return found;
        }

        var collisions = new JsonObject { ["status"] = new JsonObject { ["collisionCount"] = (deployment.Status?.CollisionCount ?? 0) + 1 } };
        await _client.PatchAsync<V1Deployment>(
            deployment.Metadata.NamespaceProperty, deployment.Metadata.Name, PatchKind.Merge, collisions, "status", cancellationToken);
        throw ApiException.Conflict("apps", "replicasets", wanted.Metadata.Name, "the hash of another template is the same");
    }

    /// <summary>The set of the template has the highest revision, and the Deployment's annotations.</summary>
    private async Task<V1ReplicaSet> ReviseAsync(V1Deployment deployment, IReadOnlyList<V1ReplicaSet> sets, V1ReplicaSet current, CancellationToken cancellationToken)
    {
        var wanted = ReplicaSetFactory.Revised(deployment, sets, current);
        if (wanted is not null)
        {
            current = await PatchAsync(current, wanted, cancellationToken);
        }

        await MarkAsync(deployment, DeploymentNames.RevisionOf(current.Metadata), cancellationToken);
        return current;
    }

    private async Task MarkAsync(V1Deployment deployment, long revision, CancellationToken cancellationToken)
    {
        if (DeploymentNames.RevisionOf(deployment.Metadata) != revision)
        {
            // By way of the status: it is no change of what is wanted, and must not raise the generation.
            var annotations = new JsonObject { [DeploymentNames.Revision] = revision.ToString(CultureInfo.InvariantCulture) };
            var patch = new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = annotations } };
            await _client.PatchAsync<V1Deployment>(deployment.Metadata.NamespaceProperty, deployment.Metadata.Name, PatchKind.Merge, patch, "status", cancellationToken);
        }
    }

    private async Task<V1ReplicaSet> SizeAsync(V1Deployment deployment, V1ReplicaSet set, int size, CancellationToken cancellationToken)
    {
        var before = set.Spec.Replicas ?? 1;
        if (ReplicaSetFactory.Sized(RolloutNumbers.Of(deployment), set, size) is not { } patch)
        {
            return set;
        }

        var sized = await PatchAsync(set, patch, cancellationToken);
        if (size != before)
        {
            _events.Record(deployment, "Normal", "ScalingReplicaSet", $"Scaled {(size > before ? "up" : "down")} replica set {set.Metadata.Name} from {before} to {size}");
        }

        return sized;
    }

    private Task<V1ReplicaSet> PatchAsync(V1ReplicaSet set, JsonObject patch, CancellationToken cancellationToken)
    {
        // A set that another has changed meanwhile is looked at again first.
        if (patch["metadata"] is not JsonObject metadata)
        {
            patch["metadata"] = metadata = [];
        }

        metadata["resourceVersion"] = set.Metadata.ResourceVersion;
        return _client.PatchAsync<V1ReplicaSet>(set.Metadata.NamespaceProperty, set.Metadata.Name, PatchKind.Merge, patch, null, cancellationToken);
    }

    private async Task<V1DeploymentStatus> TellAsync(
        V1Deployment deployment, IReadOnlyList<V1ReplicaSet> sets, V1ReplicaSet? current, bool isNew, CancellationToken cancellationToken)
    {
        var status = RolloutStatus.Of(deployment, sets, current, isNew, _time.GetUtcNow());
        if (!Models.Same(status, deployment.Status ?? new V1DeploymentStatus()))
        {
            // The annotation of the revision may just have changed the object: the status is written whatever its version.
            var patch = new JsonObject { ["status"] = ObjectCodec.ToObject(status) };
            foreach (var zero in (ReadOnlySpan<string>)["replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas"])
            {
                patch["status"]![zero] ??= 0;
            }

            await _client.PatchAsync<V1Deployment>(
                deployment.Metadata.NamespaceProperty, deployment.Metadata.Name, PatchKind.Merge, patch, "status", cancellationToken);
        }

        return status;
    }

    private async Task TrimAsync(V1Deployment deployment, IReadOnlyList<V1ReplicaSet> sets, V1ReplicaSet? current, CancellationToken cancellationToken)
    {
        if (deployment.Spec.RevisionHistoryLimit is not { } limit)
        {
            return;
        }

        var old = sets.Where(s => s.Metadata.Uid != current?.Metadata.Uid && s.Metadata.DeletionTimestamp is null)
            .OrderBy(s => DeploymentNames.RevisionOf(s.Metadata)).ToList();
        foreach (var set in old.Take(old.Count - limit).Where(s => s.Spec.Replicas == 0 && s.Status?.Replicas == 0 && s.Metadata.Generation <= (s.Status.ObservedGeneration ?? 0)))
        {
            await _client.DeleteAsync<V1ReplicaSet>(
                set.Metadata.NamespaceProperty, set.Metadata.Name, new V1DeleteOptions { Preconditions = new V1Preconditions { Uid = set.Metadata.Uid } }, cancellationToken);
        }
    }

    /// <summary>The sets of a Deployment: its own that the selector finds, and orphans that it adopts.</summary>
    private async Task<IReadOnlyList<V1ReplicaSet>> ClaimAsync(V1Deployment deployment, CancellationToken cancellationToken)
    {
        var mine = new List<V1ReplicaSet>();
        var selector = LabelSelector.FromModel(deployment.Spec.Selector);

        // Orphans first: one that is let go in between is missed, and not had twice.
        var orphans = _setsByOwner.Get(OwnerIndex.OrphansOf(deployment.Metadata.NamespaceProperty));
        foreach (var set in _setsByOwner.Get(deployment.Metadata.Uid).Concat(orphans).DistinctBy(s => s.Metadata.Uid))
        {
            var selected = selector.Selects(set.Metadata);
            if (Ownership.Controls(deployment, set))
            {
                mine.Add(selected || deployment.Metadata.DeletionTimestamp is not null ? set : await OwnAsync(deployment, set, owned: false, cancellationToken));
            }
            else if (selected && Ownership.ControllerOf(set) is null && set.Metadata.DeletionTimestamp is null && await Ownership.MayAdoptAsync(_client, deployment, cancellationToken))
            {
                mine.Add(await OwnAsync(deployment, set, owned: true, cancellationToken));
            }
        }

        return [.. mine.Where(s => Ownership.Controls(deployment, s))];
    }

    private Task<V1ReplicaSet> OwnAsync(V1Deployment deployment, V1ReplicaSet set, bool owned, CancellationToken cancellationToken)
    {
        var others = (set.Metadata.OwnerReferences ?? []).Where(r => r.Uid != deployment.Metadata.Uid);
        var references = owned ? others.Append(Ownership.Reference(deployment, ApiVersion, Kind)) : others;
        return PatchAsync(set, new JsonObject { ["metadata"] = new JsonObject { ["ownerReferences"] = Ownership.ToJson(references) } }, cancellationToken);
    }

    private static V1ReplicaSet? Current(V1Deployment deployment, IEnumerable<V1ReplicaSet> sets)
    {
        var template = DeploymentNames.WithoutHash(deployment.Spec.Template);
        return sets.Where(s => JsonNode.DeepEquals(DeploymentNames.WithoutHash(s.Spec.Template), template)).MinBy(s => (s.Metadata.CreationTimestamp, s.Metadata.Name));
    }

    private static bool Selects(V1Deployment deployment, V1ReplicaSet set) =>
        LabelSelector.FromModel(deployment.Spec.Selector).Selects(set.Metadata);
}
