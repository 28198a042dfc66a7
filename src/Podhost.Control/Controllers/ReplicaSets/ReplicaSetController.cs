using Podhost.Control.Objects;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Api.Selectors;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;
using Podhost.Control.Controllers.Workloads;
using Podhost.Control.Events;

namespace Podhost.Control.Controllers.ReplicaSets;

/// <summary>Keeps as many pods of each ReplicaSet alive as it asks for.</summary>
public sealed class ReplicaSetController : QueueController
{
    private static readonly OwnerKind<V1ReplicaSet> Kind = new("apps/v1", "ReplicaSet", s => LabelSelector.FromModel(s.Spec.Selector));

    private readonly IApiClient _client;
    private readonly IInformer<V1ReplicaSet> _sets;
    private readonly IInformer<V1Pod> _pods;
    private readonly TimeProvider _time;
    private readonly Expectations _expectations;
    private readonly PodControl _control;
    private readonly OwnedPods<V1ReplicaSet> _owned;

    /// <summary>A controller.</summary>
    /// <param name="client">Writes pods and statuses.</param>
    /// <param name="sets">All ReplicaSets.</param>
    /// <param name="pods">All pods.</param>
    /// <param name="events">Tells what was created and deleted.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public ReplicaSetController(IApiClient client, IInformer<V1ReplicaSet> sets, IInformer<V1Pod> pods, IEventSink events, TimeProvider time, ILoggerFactory logs)
        : base(2, time, logs.CreateLogger<ReplicaSetController>())
    {
        _client = client;
        _sets = sets;
        _pods = pods;
        _time = time;
        _expectations = new Expectations(time);
        _control = new PodControl(client, events, _expectations);
        _owned = new OwnedPods<V1ReplicaSet>(client, Kind, sets, pods, _control, _expectations);
    }

    /// <inheritdoc />
    protected override IReadOnlyList<Task> Synced => [_sets.Synced, _pods.Synced];

    /// <inheritdoc />
    protected override IEnumerable<IDisposable> Subscribe(WorkQueue<ObjectKey> queue)
    {
        yield return _sets.Subscribe(e =>
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
    protected override async Task ReconcileAsync(WorkQueue<ObjectKey> queue, ObjectKey key, CancellationToken cancellationToken)
    {
        if (_sets.Get(key.Namespace, key.Name) is not { } set)
        {
            return;
        }

        try
        {
            var pods = await _owned.ClaimAsync(set, cancellationToken);
            string? refusal = null;
            if (_expectations.AreMet(key))
            {
                refusal = await ApplyAsync(queue, key, set, pods, cancellationToken);
            }

            await TellAsync(set, pods, refusal, cancellationToken);
            if (refusal is not null)
            {
                queue.AddRateLimited(key);
            }
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

    private async Task<string?> ApplyAsync(WorkQueue<ObjectKey> queue, ObjectKey key, V1ReplicaSet set, IReadOnlyList<V1Pod> pods, CancellationToken cancellationToken)
    {
        var byNode = pods.Where(PodStates.IsActive).GroupBy(p => p.Spec.NodeName ?? "").ToDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal);
        var plan = ReplicaSetDecider.Decide(set, pods, p => byNode.GetValueOrDefault(p.Spec.NodeName ?? ""), _time.GetUtcNow());
        if (plan.WakeAfter is { } wake)
        {
            queue.AddAfter(key, wake);
        }

        await _control.DeleteAsync(set, plan.Delete, cancellationToken);
        if (plan.Create == 0)
        {
            return null;
        }

        var reference = Kind.Reference(set);
        var made = Enumerable.Range(0, plan.Create).Select(_ => PodTemplates.Make(set.Spec.Template, set, reference)).ToList();
        return (await _control.CreateAsync(set, made, cancellationToken)).Refusal?.Message;
    }

    private async Task TellAsync(V1ReplicaSet set, IReadOnlyList<V1Pod> pods, string? refusal, CancellationToken cancellationToken)
    {
        var status = ReplicaSetDecider.StatusOf(set, pods, refusal, _time.GetUtcNow());
        if (set.Status is { } old && Models.Same(status, old))
        {
            return;
        }

        await _client.UpdateAsync(
            new V1ReplicaSet { ApiVersion = Kind.ApiVersion, Kind = Kind.Kind, Metadata = set.Metadata, Spec = set.Spec, Status = status }, "status", cancellationToken);
    }
}
