using Podhost.Control.Objects;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Selectors;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;
using Podhost.Control.Events;

namespace Podhost.Control.Controllers.Disruption;

/// <summary>Keeps the status of PodDisruptionBudgets, by which evictions are let through or not.</summary>
public sealed class DisruptionController : QueueController
{
    private readonly IApiClient _client;
    private readonly IInformer<V1PodDisruptionBudget> _budgets;
    private readonly IInformer<V1Pod> _pods;
    private readonly InformerIndex<V1Pod> _podsByNamespace;
    private readonly ScaledSources _scaled;
    private readonly IEventSink _events;
    private readonly TimeProvider _time;
    private readonly ControllerScales _scales;

    /// <summary>A controller.</summary>
    /// <param name="client">Writes statuses.</param>
    /// <param name="budgets">All PodDisruptionBudgets.</param>
    /// <param name="pods">All pods.</param>
    /// <param name="scaled">What tells how many pods it wants.</param>
    /// <param name="events">Tells what is wrong with a budget.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public DisruptionController(
        IApiClient client,
        IInformer<V1PodDisruptionBudget> budgets,
        IInformer<V1Pod> pods,
        ScaledSources scaled,
        IEventSink events,
        TimeProvider time,
        ILoggerFactory logs)
        : base(1, time, logs.CreateLogger<DisruptionController>())
    {
        _client = client;
        _budgets = budgets;
        _pods = pods;
        _podsByNamespace = pods.AddIndex(OwnerIndex.ByNamespace);
        _scaled = scaled;
        _events = events;
        _time = time;
        _scales = new ControllerScales(scaled);
    }

    /// <inheritdoc />
    protected override IReadOnlyList<Task> Synced => [_budgets.Synced, _pods.Synced, _scaled.Sets.Synced, _scaled.Deployments.Synced, _scaled.Stateful.Synced, _scaled.Controllers.Synced];

    /// <inheritdoc />
    protected override IEnumerable<IDisposable> Subscribe(WorkQueue<ObjectKey> queue)
    {
        yield return _budgets.Subscribe(e => queue.Add(ObjectKey.Of(e.Object)));
        yield return _pods.Subscribe(e => Add(queue, e.Object, b => Selects(b, e.Object) || (e.Previous is { } before && Selects(b, before))));

        // Their numbers reach us on another watch than the pods that they change.
        yield return _scaled.Sets.Subscribe(e => AddIfScaled(queue, e, e.Object.Spec.Replicas, e.Previous?.Spec.Replicas));
        yield return _scaled.Deployments.Subscribe(e => AddIfScaled(queue, e, e.Object.Spec.Replicas, e.Previous?.Spec.Replicas));
        yield return _scaled.Stateful.Subscribe(e => AddIfScaled(queue, e, e.Object.Spec.Replicas, e.Previous?.Spec.Replicas));
        yield return _scaled.Controllers.Subscribe(e => AddIfScaled(queue, e, e.Object.Spec.Replicas, e.Previous?.Spec.Replicas));
    }

    /// <inheritdoc />
    protected override async Task ReconcileAsync(WorkQueue<ObjectKey> queue, ObjectKey key, CancellationToken cancellationToken)
    {
        if (_budgets.Get(key.Namespace, key.Name) is not { } budget)
        {
            return;
        }

        var pods = _podsByNamespace.Get(key.Namespace).Where(p => Selects(budget, p)).ToList();
        var expected = DisruptionDecider.Expect(budget, pods, _scales.Of);
        Tell(budget, pods, expected);
        if (expected.Fault is { } fault)
        {
            await WriteAsync(budget, DisruptionDecider.Failed(budget, fault, _time.GetUtcNow()), cancellationToken);
            return;
        }

        var plan = DisruptionDecider.Decide(budget, pods, expected, _time.GetUtcNow());
        foreach (var pod in plan.NotDeleted)
        {
            _events.Record(pod, "Warning", "NotDeleted", $"Pod was expected by PDB {key.Namespace}/{key.Name} to be deleted but it wasn't");
        }

        await WriteAsync(budget, plan.Status, cancellationToken);
        if (plan.RecheckAfter is { } after)
        {
            queue.AddAfter(key, after);
        }
    }

    private void Tell(V1PodDisruptionBudget budget, List<V1Pod> pods, ExpectedPods expected)
    {
        if (pods.Count == 0)
        {
            _events.Record(budget, "Normal", "NoPods", "No matching pods found");
        }

        if (expected.Fault is { } fault)
        {
            _events.Record(budget, "Warning", "CalculateExpectedPodCountFailed", "Failed to calculate the number of expected pods: " + fault);
        }
        else if (expected.HasUnmanaged)
        {
            _events.Record(budget, "Warning", "UnmanagedPods",
                $"Pods selected by this PodDisruptionBudget (selector: {LabelSelector.FromModel(budget.Spec.Selector)}) were found to be unmanaged. "
                + "As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. "
                + "To account for these pods please set \".spec.minAvailable\" field of the PDB to an integer value.");
        }
    }

    // A version that was overtaken, by an eviction for one, fails here and is decided about again.
    private async Task WriteAsync(V1PodDisruptionBudget budget, V1PodDisruptionBudgetStatus status, CancellationToken cancellationToken)
    {
        if (budget.Status is { } old && Models.Same(status, old))
        {
            return;
        }

        try
        {
            await _client.UpdateAsync(
                new V1PodDisruptionBudget { ApiVersion = "policy/v1", Kind = "PodDisruptionBudget", Metadata = budget.Metadata, Spec = budget.Spec, Status = status },
                "status", cancellationToken);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // Gone.
        }
    }

    private void AddIfScaled<T>(WorkQueue<ObjectKey> queue, InformerEvent<T> change, int? replicas, int? before)
        where T : class, k8s.IKubernetesObject<V1ObjectMeta>
    {
        if (change.Previous is null || replicas != before)
        {
            Add(queue, change.Object, _ => true);
        }
    }

    private void Add(WorkQueue<ObjectKey> queue, k8s.IKubernetesObject<V1ObjectMeta> near, Func<V1PodDisruptionBudget, bool> concerns)
    {
        foreach (var budget in _budgets.List().Where(b => b.Metadata.NamespaceProperty == near.Metadata.NamespaceProperty && concerns(b)))
        {
            queue.Add(ObjectKey.Of(budget));
        }
    }

    private static bool Selects(V1PodDisruptionBudget budget, V1Pod pod) => budget.Spec?.Selector is { } selector
        && LabelSelector.FromModel(selector).Selects(pod.Metadata);
}
