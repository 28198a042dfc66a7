using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;
using Podhost.Control.Controllers.Workloads;
using Podhost.Control.Events;
using Podhost.Control.Objects;

namespace Podhost.Control.Controllers.ReplicaSets;

/// <summary>Keeps as many pods of each owner alive as it asks for: what ReplicaSets and ReplicationControllers have in common.</summary>
public abstract class ReplicaController<TOwner> : QueueController where TOwner : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly IApiClient _client;
    private readonly IInformer<TOwner> _owners;
    private readonly IInformer<V1Pod> _pods;
    private readonly OwnerKind<TOwner> _kind;
    private readonly TimeProvider _time;
    private readonly Expectations _expectations;
    private readonly PodControl _control;
    private readonly OwnedPods<TOwner> _owned;

    private protected ReplicaController(
        IApiClient client, OwnerKind<TOwner> kind, IInformer<TOwner> owners, IInformer<V1Pod> pods, IEventSink events, TimeProvider time, ILogger log)
        : base(2, time, log)
    {
        (_client, _kind, _owners, _pods, _time) = (client, kind, owners, pods, time);
        _expectations = new Expectations(time);
        _control = new PodControl(client, events, _expectations);
        _owned = new OwnedPods<TOwner>(client, kind, owners, pods, _control, _expectations);
    }

    /// <summary>An owner as a ReplicaSet, by which is decided.</summary>
    protected abstract V1ReplicaSet AsSet(TOwner owner);

    /// <summary>An owner with another status, to be written.</summary>
    protected abstract TOwner WithStatus(TOwner owner, V1ReplicaSetStatus status);

    /// <inheritdoc />
    protected override IReadOnlyList<Task> Synced => [_owners.Synced, _pods.Synced];

    /// <inheritdoc />
    protected override IEnumerable<IDisposable> Subscribe(WorkQueue<ObjectKey> queue)
    {
        yield return _owners.Subscribe(e =>
        {
            if (e.Type == WatchEventKind.Deleted)
            {
                _expectations.Forget(ObjectKey.Of(e.Object));
            }

            queue.Add(ObjectKey.Of(e.Object));
        });
        yield return _pods.Subscribe(e => _owned.Look(queue, e));
    }

    /// <inheritdoc />
    protected override Task ReconcileAsync(WorkQueue<ObjectKey> queue, ObjectKey key, CancellationToken cancellationToken) =>
        AttemptAsync(queue, key, _owners, owner => ReconcileAsync(queue, key, owner, cancellationToken));

    private async Task ReconcileAsync(WorkQueue<ObjectKey> queue, ObjectKey key, TOwner owner, CancellationToken cancellationToken)
    {
        var mayDecide = _expectations.AreMet(key);
        var pods = await _owned.ClaimAsync(owner, cancellationToken);
        Refusal? refusal = null;
        if (mayDecide)
        {
            refusal = await ApplyAsync(queue, key, owner, pods, cancellationToken);
        }

        await TellAsync(owner, pods, refusal, cancellationToken);
        if (refusal is not null)
        {
            queue.AddRateLimited(key);
        }
    }

    private async Task<Refusal?> ApplyAsync(WorkQueue<ObjectKey> queue, ObjectKey key, TOwner owner, IReadOnlyList<V1Pod> pods, CancellationToken cancellationToken)
    {
        var set = AsSet(owner);
        var byNode = pods.Where(PodStates.IsActive).GroupBy(p => p.Spec.NodeName ?? "").ToDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal);
        var plan = ReplicaSetDecider.Decide(set, pods, p => byNode.GetValueOrDefault(p.Spec.NodeName ?? ""), _time.GetUtcNow());
        if (plan.WakeAfter is { } wake)
        {
            queue.AddAfter(key, wake);
        }

        try
        {
            await _control.DeleteAsync(owner, plan.Delete, cancellationToken);
        }
        catch (ApiException e)
        {
            return new Refusal("FailedDelete", e.Message);
        }

        if (plan.Create == 0)
        {
            return null;
        }

        var reference = _kind.Reference(owner);
        var made = Enumerable.Range(0, plan.Create).Select(_ => PodTemplates.Make(set.Spec.Template, owner, reference)).ToList();
        return (await _control.CreateAsync(owner, made, cancellationToken)).Refusal is { } refused ? new Refusal("FailedCreate", refused.Message) : null;
    }

    private async Task TellAsync(TOwner owner, IReadOnlyList<V1Pod> pods, Refusal? refusal, CancellationToken cancellationToken)
    {
        var set = AsSet(owner);
        var status = ReplicaSetDecider.StatusOf(set, pods, refusal, _time.GetUtcNow());
        if (set.Status is not { } old || !Models.Same(status, old))
        {
            await _client.UpdateAsync(WithStatus(owner, status), "status", cancellationToken);
        }
    }
}
