using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Api.Storage;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;

namespace Podhost.Control.Controllers.PersistentVolumes;

/// <summary>Lets claims go that no pod uses any more and volumes that no claim is bound to: takes kubernetes.io/pvc-protection and pv-protection away.</summary>
public sealed class VolumeProtectionController : IController
{
    private readonly IApiClient _client;
    private readonly IInformer<V1PersistentVolumeClaim> _claims;
    private readonly IInformer<V1PersistentVolume> _volumes;
    private readonly IInformer<V1Pod> _pods;
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    /// <summary>A controller.</summary>
    /// <param name="client">Writes claims and volumes.</param>
    /// <param name="claims">All claims.</param>
    /// <param name="volumes">All volumes.</param>
    /// <param name="pods">All pods.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public VolumeProtectionController(
        IApiClient client, IInformer<V1PersistentVolumeClaim> claims, IInformer<V1PersistentVolume> volumes, IInformer<V1Pod> pods, TimeProvider time, ILoggerFactory logs)
    {
        (_client, _claims, _volumes, _pods, _time) = (client, claims, volumes, pods, time);
        _log = logs.CreateLogger<VolumeProtectionController>();
    }

    /// <inheritdoc />
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(_claims.Synced, _volumes.Synced, _pods.Synced).WaitAsync(cancellationToken);
        using var queue = new WorkQueue<ObjectKey>(new WorkQueueOptions { MaxRetryDelay = TimeSpan.FromSeconds(10) }, _time, _log);
        using var claims = _claims.Subscribe(e => queue.Add(ObjectKey.Of(e.Object)));
        using var volumes = _volumes.Subscribe(e => queue.Add(ObjectKey.Of(e.Object)));
        using var pods = _pods.Subscribe(e =>
        {
            if (e.Type == WatchEventKind.Deleted || !Uses(e.Object))
            {
                foreach (var claim in PodClaims.Of(e.Object))
                {
                    queue.Add(new ObjectKey(e.Object.Metadata.NamespaceProperty, claim));
                }
            }
        });
        await queue.RunAsync(1, (key, stop) => ReleaseAsync(queue, key, stop), cancellationToken);
    }

    private async Task ReleaseAsync(WorkQueue<ObjectKey> queue, ObjectKey key, CancellationToken cancellationToken)
    {
        try
        {
            if (key.Namespace.Length == 0)
            {
                if (_volumes.Get(null, key.Name) is { Metadata.DeletionTimestamp: not null, Status.Phase: not "Bound" } volume)
                {
                    await RemoveAsync(volume, "kubernetes.io/pv-protection", cancellationToken);
                }
            }
            else if (_claims.Get(key.Namespace, key.Name) is { Metadata.DeletionTimestamp: not null } claim && !await IsUsedAsync(key, cancellationToken))
            {
                await RemoveAsync(claim, "kubernetes.io/pvc-protection", cancellationToken);
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

    // The copy first, then the server: a pod may have been made since.
    private async Task<bool> IsUsedAsync(ObjectKey claim, CancellationToken cancellationToken)
    {
        bool UsesClaim(V1Pod pod) => Uses(pod) && PodClaims.Of(pod).Contains(claim.Name);
        return _pods.List().Any(p => p.Metadata.NamespaceProperty == claim.Namespace && UsesClaim(p))
            || (await _client.ListAsync<V1Pod>(claim.Namespace, new ListQuery(), cancellationToken)).Items.Any(UsesClaim);
    }

    private static bool Uses(V1Pod pod) => !string.IsNullOrEmpty(pod.Spec.NodeName) && pod.Status?.Phase is not ("Succeeded" or "Failed");

    private async Task RemoveAsync<T>(T obj, string finalizer, CancellationToken cancellationToken) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        if (obj.Metadata.Finalizers?.Contains(finalizer) != true)
        {
            return;
        }

        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["resourceVersion"] = obj.Metadata.ResourceVersion,
                ["finalizers"] = new JsonArray([.. obj.Metadata.Finalizers.Where(f => f != finalizer).Select(f => (JsonNode)f)]),
            },
        };
        await _client.PatchAsync<T>(obj.Metadata.NamespaceProperty, obj.Metadata.Name, PatchKind.Merge, patch, null, cancellationToken);
    }
}
