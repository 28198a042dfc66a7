using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Api.Storage;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;
using Podhost.Control.Events;

namespace Podhost.Control.Controllers.PersistentVolumes;

/// <summary>
/// Binds claims to volumes that are there, and tells in their phases how far they are. Nothing is provisioned or deleted: a released volume waits for its
/// administrator. Each write carries the resourceVersion that was read, so a volume is never given twice.
/// </summary>
public sealed class PersistentVolumeController : IController
{
    private readonly IInformer<V1PersistentVolumeClaim> _claims;
    private readonly IInformer<V1PersistentVolume> _volumes;
    private readonly IInformer<V1StorageClass> _classes;
    private readonly IInformer<V1Node> _nodes;
    private readonly ClaimBinder _binder;
    private readonly VolumePhases _phases;
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    /// <summary>A controller.</summary>
    /// <param name="client">Writes claims and volumes.</param>
    /// <param name="claims">All claims.</param>
    /// <param name="volumes">All volumes.</param>
    /// <param name="classes">All storage classes.</param>
    /// <param name="nodes">All nodes.</param>
    /// <param name="events">FailedBinding, WaitForFirstConsumer, ….</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public PersistentVolumeController(
        IApiClient client,
        IInformer<V1PersistentVolumeClaim> claims,
        IInformer<V1PersistentVolume> volumes,
        IInformer<V1StorageClass> classes,
        IInformer<V1Node> nodes,
        IEventSink events,
        TimeProvider time,
        ILoggerFactory logs)
    {
        (_claims, _volumes, _classes, _nodes) = (claims, volumes, classes, nodes);
        _binder = new ClaimBinder(client, events);
        _phases = new VolumePhases(client, events);
        _time = time;
        _log = logs.CreateLogger<PersistentVolumeController>();
    }

    /// <inheritdoc />
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(_claims.Synced, _volumes.Synced, _classes.Synced, _nodes.Synced).WaitAsync(cancellationToken);
        using var queue = new WorkQueue<ObjectKey>(new WorkQueueOptions { MaxRetryDelay = TimeSpan.FromSeconds(10) }, _time, _log);
        using var claims = _claims.Subscribe(e => OnClaim(queue, e));
        using var volumes = _volumes.Subscribe(e => OnVolume(queue, e));
        using var classes = _classes.Subscribe(_ => AddWaiting(queue));
        await queue.RunAsync(1, (key, stop) => SettleAsync(queue, key, stop), cancellationToken);
    }

    private static void OnClaim(WorkQueue<ObjectKey> queue, InformerEvent<V1PersistentVolumeClaim> change)
    {
        queue.Add(ObjectKey.Of(change.Object));
        if (change.Object.Spec.VolumeName is { Length: > 0 } volume)
        {
            queue.Add(new ObjectKey("", volume));
        }
    }

    private void OnVolume(WorkQueue<ObjectKey> queue, InformerEvent<V1PersistentVolume> change)
    {
        queue.Add(ObjectKey.Of(change.Object));
        if (change.Object.Spec.ClaimRef is { } reference)
        {
            queue.Add(new ObjectKey(reference.NamespaceProperty, reference.Name));
        }
        else
        {
            AddWaiting(queue);
        }
    }

    private void AddWaiting(WorkQueue<ObjectKey> queue)
    {
        foreach (var claim in _claims.List().Where(c => c.Status?.Phase is not "Bound"))
        {
            queue.Add(ObjectKey.Of(claim));
        }
    }

    private async Task SettleAsync(WorkQueue<ObjectKey> queue, ObjectKey key, CancellationToken cancellationToken)
    {
        try
        {
            if (key.Namespace.Length == 0)
            {
                if (_volumes.Get(null, key.Name) is { } volume)
                {
                    var claim = volume.Spec.ClaimRef is { } r ? _claims.Get(r.NamespaceProperty, r.Name) : null;
                    await _phases.TellAsync(volume, claim, cancellationToken);
                }
            }
            else if (_claims.Get(key.Namespace, key.Name) is { } claim)
            {
                var storageClass = claim.Spec.StorageClassName is { Length: > 0 } name ? _classes.Get(null, name) : null;
                var node = claim.Metadata.Annotations?.TryGetValue(BindingRules.SelectedNode, out var n) == true ? _nodes.Get(null, n) : null;
                await _binder.BindAsync(claim, new ClaimSurroundings(_volumes.List(), storageClass, DefaultStorageClass.Of(_classes.List()), node), cancellationToken);
            }
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // Gone; whoever depends on it is told by the informers.
        }
        catch (ApiException e) when (e.IsConflict)
        {
            queue.AddRateLimited(key);
        }
    }
}
