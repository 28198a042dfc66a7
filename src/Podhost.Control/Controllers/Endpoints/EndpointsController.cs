using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;
using Podhost.Control.Controllers.Services;

namespace Podhost.Control.Controllers.Endpoints;

/// <summary>Writes the Endpoints object of every Service with a selector; it goes with its Service.</summary>
public sealed class EndpointsController : QueueController
{
    private readonly IApiClient _client;
    private readonly IInformer<V1Service> _services;
    private readonly IInformer<V1Pod> _pods;
    private readonly ServiceIndex _index;
    private readonly IInformer<V1Endpoints> _endpoints;
    private readonly TriggerTimes _triggers = new();

    /// <summary>A controller.</summary>
    /// <param name="client">Writes Endpoints.</param>
    /// <param name="services">All Services.</param>
    /// <param name="pods">All pods.</param>
    /// <param name="endpoints">All Endpoints, to repair what others change.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public EndpointsController(
        IApiClient client, IInformer<V1Service> services, IInformer<V1Pod> pods, IInformer<V1Endpoints> endpoints, TimeProvider time, ILoggerFactory logs)
        : base(2, time, logs.CreateLogger<EndpointsController>())
    {
        _client = client;
        _services = services;
        _pods = pods;
        _index = new ServiceIndex(services, pods);
        _endpoints = endpoints;
    }

    /// <inheritdoc />
    protected override IReadOnlyList<Task> Synced => [_services.Synced, _pods.Synced, _endpoints.Synced];

    /// <inheritdoc />
    protected override IEnumerable<IDisposable> Subscribe(WorkQueue<ObjectKey> queue)
    {
        yield return ServiceFeed.Subscribe(_services, _pods, _index, queue.Add);
        yield return _endpoints.Subscribe(e => queue.Add(ObjectKey.Of(e.Object)));
    }

    /// <inheritdoc />
    protected override async Task ReconcileAsync(WorkQueue<ObjectKey> queue, ObjectKey key, CancellationToken cancellationToken)
    {
        try
        {
            if (_services.Get(key.Namespace, key.Name) is not { } service)
            {
                _triggers.Forget(key);
                await RemoveAsync(key, cancellationToken);
            }
            else if (ServicePods.IsManaged(service) && service.Metadata.DeletionTimestamp is null)
            {
                var pods = _index.PodsOf(service);
                await EnsureAsync(EndpointsRules.Of(service, pods), _triggers.Next(service, pods), cancellationToken);
            }
        }
        catch (ApiException e) when (e.IsNotFound || e.IsAlreadyExists || e.Status.Details?.Causes?.Any(c => c.Reason == "NamespaceTerminating") == true)
        {
            // Somebody was faster, or the namespace goes: the informers tell the rest.
        }
    }

    private async Task EnsureAsync(V1Endpoints wanted, DateTime? moment, CancellationToken cancellationToken)
    {
        if (_endpoints.Get(wanted.Metadata.NamespaceProperty, wanted.Metadata.Name) is not { } present)
        {
            wanted.Metadata.Annotations = TriggerTimes.Stamp(wanted.Metadata.Annotations, moment);
            await _client.CreateAsync(wanted, cancellationToken);
        }
        else if (!EndpointsRules.IsSame(present, wanted))
        {
            // A stale copy is refused as a conflict and tried again.
            wanted.Metadata.ResourceVersion = present.Metadata.ResourceVersion;
            wanted.Metadata.OwnerReferences = present.Metadata.OwnerReferences;
            wanted.Metadata.Annotations = TriggerTimes.Stamp(EndpointsRules.Annotations(present, wanted), moment);
            await _client.UpdateAsync(wanted, null, cancellationToken);
        }
    }

    // Only what this controller wrote: Endpoints that somebody made by hand for a Service without a selector are theirs.
    private async Task RemoveAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_endpoints.Get(key.Namespace, key.Name) is { } orphan
            && orphan.Metadata.DeletionTimestamp is null
            && orphan.Metadata.Labels?.TryGetValue("endpoints.kubernetes.io/managed-by", out var by) == true && by == "endpoint-controller")
        {
            await _client.DeleteAsync<V1Endpoints>(
                key.Namespace, key.Name, new V1DeleteOptions { Preconditions = new V1Preconditions { Uid = orphan.Metadata.Uid } }, cancellationToken);
        }
    }
}
