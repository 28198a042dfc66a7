using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Api.Storage;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;
using Podhost.Control.Events;

namespace Podhost.Control.Controllers.PersistentVolumes;

/// <summary>Makes the claims of pods' ephemeral volumes; the garbage collector takes them away with the pod.</summary>
public sealed class EphemeralVolumeController : IController
{
    private readonly IApiClient _client;
    private readonly IInformer<V1Pod> _pods;
    private readonly IInformer<V1PersistentVolumeClaim> _claims;
    private readonly IEventSink _events;
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    /// <summary>A controller.</summary>
    /// <param name="client">Creates claims.</param>
    /// <param name="pods">All pods.</param>
    /// <param name="claims">All claims.</param>
    /// <param name="events">FailedBinding.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public EphemeralVolumeController(
        IApiClient client, IInformer<V1Pod> pods, IInformer<V1PersistentVolumeClaim> claims, IEventSink events, TimeProvider time, ILoggerFactory logs)
    {
        (_client, _pods, _claims, _events, _time) = (client, pods, claims, events, time);
        _log = logs.CreateLogger<EphemeralVolumeController>();
    }

    /// <inheritdoc />
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(_pods.Synced, _claims.Synced).WaitAsync(cancellationToken);
        using var queue = new WorkQueue<ObjectKey>(new WorkQueueOptions { MaxRetryDelay = TimeSpan.FromSeconds(30) }, _time, _log);
        using var pods = _pods.Subscribe(e =>
        {
            if (e.Type == WatchEventKind.Added && e.Object.Spec.Volumes?.Any(v => v.Ephemeral is not null) == true)
            {
                queue.Add(ObjectKey.Of(e.Object));
            }
        });
        await queue.RunAsync(1, ClaimAsync, cancellationToken);
    }

    private async Task ClaimAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_pods.Get(key.Namespace, key.Name) is not { Metadata.DeletionTimestamp: null } pod)
        {
            return;
        }

        foreach (var volume in (pod.Spec.Volumes ?? []).Where(v => v.Ephemeral?.VolumeClaimTemplate is not null))
        {
            var name = PodClaims.EphemeralName(pod, volume);
            try
            {
                if (_claims.Get(key.Namespace, name) is not { } present)
                {
                    await _client.CreateAsync(Claim(pod, volume, name), cancellationToken);
                }
                else if (!PodClaims.IsOwned(present, pod))
                {
                    throw ApiException.BadRequest($"PVC {key.Namespace}/{name} was not created for pod {key.Namespace}/{key.Name} (pod is not owner)");
                }
            }
            catch (ApiException e) when (!e.IsAlreadyExists)
            {
                _events.Record(pod, "Warning", "FailedBinding", $"ephemeral volume {volume.Name}: {e.Message}");
                throw;
            }
        }
    }

    private static V1PersistentVolumeClaim Claim(V1Pod pod, V1Volume volume, string name)
    {
        var template = volume.Ephemeral.VolumeClaimTemplate;
        return new V1PersistentVolumeClaim
        {
            ApiVersion = "v1",
            Kind = "PersistentVolumeClaim",
            Metadata = new V1ObjectMeta
            {
                Name = name,
                NamespaceProperty = pod.Metadata.NamespaceProperty,
                Labels = template.Metadata?.Labels,
                Annotations = template.Metadata?.Annotations,
                OwnerReferences =
                [
                    new V1OwnerReference { ApiVersion = "v1", Kind = "Pod", Name = pod.Metadata.Name, Uid = pod.Metadata.Uid, Controller = true, BlockOwnerDeletion = true },
                ],
            },
            Spec = template.Spec,
        };
    }
}
