using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;

namespace Podhost.Control.Controllers.PodGarbage;

/// <summary>
/// Deletes pods that no kubelet will end: bound to a node that does not exist, told to go before they had a node, or terminated and too many.
/// </summary>
public sealed partial class PodGarbageController : QueueController
{
    private readonly IApiClient _client;
    private readonly IInformer<V1Pod> _pods;
    private readonly IInformer<V1Node> _nodes;
    private readonly PodGarbageOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    /// <summary>A controller.</summary>
    /// <param name="client">Fails and deletes pods.</param>
    /// <param name="pods">All pods.</param>
    /// <param name="nodes">All nodes.</param>
    /// <param name="options">Thresholds.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public PodGarbageController(
        IApiClient client, IInformer<V1Pod> pods, IInformer<V1Node> nodes, PodGarbageOptions options, TimeProvider time, ILoggerFactory logs)
        : base(2, time, logs.CreateLogger<PodGarbageController>())
    {
        _client = client;
        _pods = pods;
        _nodes = nodes;
        _options = options;
        _time = time;
        _log = logs.CreateLogger<PodGarbageController>();
    }

    /// <inheritdoc />
    protected override IReadOnlyList<Task> Synced => [_pods.Synced, _nodes.Synced];

    /// <inheritdoc />
    protected override IEnumerable<IDisposable> Subscribe(WorkQueue<ObjectKey> queue)
    {
        yield return _pods.Subscribe(e => Look(queue, e));
        yield return _nodes.Subscribe(e =>
        {
            if (e.Type == WatchEventKind.Deleted)
            {
                foreach (var pod in _pods.List().Where(p => p.Spec.NodeName == e.Object.Metadata.Name))
                {
                    queue.AddAfter(ObjectKey.Of(pod), _options.Quarantine);
                }
            }
        });
    }

    private void Look(WorkQueue<ObjectKey> queue, InformerEvent<V1Pod> change)
    {
        var pod = change.Object;
        if (change.Type == WatchEventKind.Deleted)
        {
            return;
        }

        if (PodGarbageRules.IsUnscheduledTerminating(pod))
        {
            queue.Add(ObjectKey.Of(pod));
        }
        else if (!string.IsNullOrEmpty(pod.Spec.NodeName) && _nodes.Get(null, pod.Spec.NodeName) is null)
        {
            queue.AddAfter(ObjectKey.Of(pod), _options.Quarantine);
        }

        if (PodGarbageRules.IsTerminated(pod) && (change.Previous is null || !PodGarbageRules.IsTerminated(change.Previous)))
        {
            foreach (var tooMany in PodGarbageRules.AboveThreshold(_pods.List(), _options.TerminatedPodThreshold))
            {
                queue.Add(ObjectKey.Of(tooMany));
            }
        }
    }

    /// <inheritdoc />
    protected override async Task ReconcileAsync(WorkQueue<ObjectKey> queue, ObjectKey key, CancellationToken cancellationToken)
    {
        if (_pods.Get(key.Namespace, key.Name) is not { } pod)
        {
            return;
        }

        try
        {
            if (PodGarbageRules.IsUnscheduledTerminating(pod))
            {
                await DeleteAsync(pod, "it was never scheduled", cancellationToken);
            }
            else if (await IsOrphanAsync(pod, cancellationToken))
            {
                await FailAsync(pod, cancellationToken);
                await DeleteAsync(pod, "its node does not exist", cancellationToken);
            }
            else if (PodGarbageRules.AboveThreshold(_pods.List(), _options.TerminatedPodThreshold).Any(p => p.Metadata.Uid == pod.Metadata.Uid))
            {
                await DeleteAsync(pod, "there are too many terminated pods", cancellationToken);
            }
        }
        catch (ApiException e) when (e.IsNotFound || e.IsConflict)
        {
            // Gone, or another pod of that name by now.
        }
    }

    // The copy may be behind, and a node may come back: the server has the last word.
    private async Task<bool> IsOrphanAsync(V1Pod pod, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(pod.Spec.NodeName) || _nodes.Get(null, pod.Spec.NodeName) is not null)
        {
            return false;
        }

        try
        {
            await _client.GetAsync<V1Node>(null, pod.Spec.NodeName, cancellationToken);
            return false;
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return true;
        }
    }

    private async Task FailAsync(V1Pod pod, CancellationToken cancellationToken)
    {
        if (PodGarbageRules.IsTerminated(pod))
        {
            return;
        }

        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["uid"] = pod.Metadata.Uid },
            ["status"] = new JsonObject
            {
                ["phase"] = "Failed",
                ["conditions"] = new JsonArray(new JsonObject
                {
                    ["type"] = "DisruptionTarget",
                    ["observedGeneration"] = pod.Metadata.Generation ?? 1,
                    ["status"] = "True",
                    ["reason"] = "DeletionByPodGC",
                    ["message"] = "PodGC: node no longer exists",
                    ["lastTransitionTime"] = _time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture),
                }),
            },
        };
        await _client.PatchAsync<V1Pod>(pod.Metadata.NamespaceProperty, pod.Metadata.Name, PatchKind.Strategic, patch, "status", cancellationToken);
    }

    private async Task DeleteAsync(V1Pod pod, string why, CancellationToken cancellationToken)
    {
        LogDelete(ObjectKey.Of(pod).ToString(), why);
        var options = new V1DeleteOptions { GracePeriodSeconds = 0, Preconditions = new V1Preconditions { Uid = pod.Metadata.Uid } };
        await _client.DeleteAsync<V1Pod>(pod.Metadata.NamespaceProperty, pod.Metadata.Name, options, cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "deleting pod {Pod}: {Why}")]
    private partial void LogDelete(string pod, string why);
}
