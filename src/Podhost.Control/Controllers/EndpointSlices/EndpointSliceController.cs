using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;
using Podhost.Control.Controllers.Services;

namespace Podhost.Control.Controllers.EndpointSlices;

/// <summary>Writes the EndpointSlices of every Service with a selector, at the moment a pod becomes ready, unready or is deleted.</summary>
public sealed class EndpointSliceController : QueueController
{
    private readonly IApiClient _client;
    private readonly IInformer<V1Service> _services;
    private readonly IInformer<V1Pod> _pods;
    private readonly ServiceIndex _index;
    private readonly IInformer<V1Node> _nodes;
    private readonly IInformer<V1EndpointSlice> _slices;
    private readonly TriggerTimes _triggers = new();

    /// <summary>A controller.</summary>
    /// <param name="client">Writes slices.</param>
    /// <param name="services">All Services.</param>
    /// <param name="pods">All pods.</param>
    /// <param name="nodes">All nodes, for the zone of an endpoint.</param>
    /// <param name="slices">All slices, to repair what others change.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public EndpointSliceController(
        IApiClient client,
        IInformer<V1Service> services,
        IInformer<V1Pod> pods,
        IInformer<V1Node> nodes,
        IInformer<V1EndpointSlice> slices,
        TimeProvider time,
        ILoggerFactory logs)
        : base(2, time, logs.CreateLogger<EndpointSliceController>())
    {
        _client = client;
        _services = services;
        _pods = pods;
        _index = new ServiceIndex(services, pods);
        _nodes = nodes;
        _slices = slices;
    }

    /// <inheritdoc />
    protected override IReadOnlyList<Task> Synced => [_services.Synced, _pods.Synced, _nodes.Synced, _slices.Synced];

    /// <inheritdoc />
    protected override IEnumerable<IDisposable> Subscribe(WorkQueue<ObjectKey> queue)
    {
        yield return ServiceFeed.Subscribe(_services, _pods, _index, queue.Add);
        yield return _slices.Subscribe(e =>
        {
            // Ours come back as Added; what somebody changed or deleted is repaired.
            if (e.Type != WatchEventKind.Added && ServiceOf(e.Object) is { } service)
            {
                queue.Add(service);
            }
        });
        foreach (var slice in _slices.List())
        {
            if (ServiceOf(slice) is { } service)
            {
                queue.Add(service);
            }
        }
    }

    private static ObjectKey? ServiceOf(V1EndpointSlice slice) =>
        slice.Metadata.Labels is { } labels
        && labels.TryGetValue(SliceRules.ManagedBy, out var by) && by == SliceRules.Manager
        && labels.TryGetValue(SliceRules.ServiceName, out var name)
            ? new ObjectKey(slice.Metadata.NamespaceProperty, name)
            : null;

    /// <inheritdoc />
    protected override async Task ReconcileAsync(WorkQueue<ObjectKey> queue, ObjectKey key, CancellationToken cancellationToken)
    {
        var service = _services.Get(key.Namespace, key.Name);
        if (service is not null && !ServicePods.IsManaged(service))
        {
            return;
        }

        // From the server, not from the copy: names are generated, and a slice that the copy does not show yet would be made twice.
        var selector = $"{SliceRules.ServiceName}={key.Name},{SliceRules.ManagedBy}={SliceRules.Manager}";
        var present = (await _client.ListAsync<V1EndpointSlice>(key.Namespace, new ListQuery(selector), cancellationToken)).Items;
        if (service is null)
        {
            _triggers.Forget(key);
            await SliceWriter.ApplyAsync(_client, new SlicePlan([], [], [.. present]), cancellationToken);
        }
        else if (service.Metadata.DeletionTimestamp is null)
        {
            await EnsureAsync(service, present, cancellationToken);
        }
    }

    private async Task EnsureAsync(V1Service service, IReadOnlyList<V1EndpointSlice> present, CancellationToken cancellationToken)
    {
        var families = service.Spec.IpFamilies is { Count: > 0 } given ? given : ["IPv4"];
        var pods = _index.PodsOf(service);
        var moment = _triggers.Next(service, pods);
        foreach (var family in families)
        {
            var groups = SliceRules.Groups(service, pods, family, name => _nodes.Get(null, name));
            var plan = SlicePlanner.Plan(SliceRules.Template(service), family, present.Where(s => s.AddressType == family), groups);
            foreach (var slice in plan.Create.Concat(plan.Update))
            {
                slice.Metadata.Annotations = TriggerTimes.Stamp(slice.Metadata.Annotations, moment);
            }

            await SliceWriter.ApplyAsync(_client, plan, cancellationToken);
        }

        await SliceWriter.ApplyAsync(_client, new SlicePlan([], [], [.. present.Where(s => !families.Contains(s.AddressType))]), cancellationToken);
    }
}
