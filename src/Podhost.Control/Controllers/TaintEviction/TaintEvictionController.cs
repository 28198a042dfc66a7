using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;
using Podhost.Control.Events;
using Podhost.Control.Objects;

namespace Podhost.Control.Controllers.TaintEviction;

/// <summary>Deletes pods from nodes whose NoExecute taints they do not tolerate, or not for longer.</summary>
public sealed class TaintEvictionController : QueueController
{
    private readonly IApiClient _client;
    private readonly IInformer<V1Pod> _pods;
    private readonly InformerIndex<V1Pod> _podsByNode;
    private readonly IInformer<V1Node> _nodes;
    private readonly IEventSink _events;
    private readonly TimeProvider _time;
    private readonly TaintTimes _times = new();

    /// <summary>A controller.</summary>
    /// <param name="client">Marks and deletes pods.</param>
    /// <param name="pods">All pods.</param>
    /// <param name="nodes">All nodes.</param>
    /// <param name="events">Records TaintManagerEviction.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public TaintEvictionController(
        IApiClient client, IInformer<V1Pod> pods, IInformer<V1Node> nodes, IEventSink events, TimeProvider time, ILoggerFactory logs)
        : base(4, time, logs.CreateLogger<TaintEvictionController>())
    {
        _client = client;
        _pods = pods;
        _podsByNode = pods.AddIndex(OwnerIndex.ByNode);
        _nodes = nodes;
        _events = events;
        _time = time;
    }

    /// <inheritdoc />
    protected override IReadOnlyList<Task> Synced => [_pods.Synced, _nodes.Synced];

    /// <inheritdoc />
    protected override IEnumerable<IDisposable> Subscribe(WorkQueue<ObjectKey> queue)
    {
        yield return _nodes.Subscribe(e =>
        {
            if (e.Type == WatchEventKind.Deleted)
            {
                _times.Forget(e.Object.Metadata.Name);
                return;
            }

            _times.See(e.Object, _time.GetUtcNow());
            if (HasNoExecute(e.Object))
            {
                foreach (var pod in _podsByNode.Get(e.Object.Metadata.Name))
                {
                    queue.Add(ObjectKey.Of(pod));
                }
            }
        });
        yield return _pods.Subscribe(e =>
        {
            if (e.Type != WatchEventKind.Deleted && NodeOf(e.Object) is { } node && HasNoExecute(node))
            {
                queue.Add(ObjectKey.Of(e.Object));
            }
        });
    }

    private static bool HasNoExecute(V1Node node) => node.Spec?.Taints?.Any(t => t.Effect == "NoExecute") == true;

    private V1Node? NodeOf(V1Pod pod) => string.IsNullOrEmpty(pod.Spec.NodeName) ? null : _nodes.Get(null, pod.Spec.NodeName);

    /// <inheritdoc />
    protected override async Task ReconcileAsync(WorkQueue<ObjectKey> queue, ObjectKey key, CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        if (_pods.Get(key.Namespace, key.Name) is not { Metadata.DeletionTimestamp: null } pod
            || NodeOf(pod) is not { } node
            || TaintEvictionRules.EvictAt(pod, node, _times, now) is not { } at)
        {
            return;
        }

        // The taint may be taken away meanwhile: the moment is decided anew when it has come.
        if (at > now)
        {
            queue.AddAfter(key, at - now);
            return;
        }

        try
        {
            _events.Record(pod, "Normal", "TaintManagerEviction", $"Marking for deletion Pod {key}");
            await _client.PatchAsync<V1Pod>(key.Namespace, key.Name, PatchKind.Strategic, Target(pod, now), "status", cancellationToken);
            await _client.DeleteAsync<V1Pod>(
                key.Namespace, key.Name, new V1DeleteOptions { Preconditions = new V1Preconditions { Uid = pod.Metadata.Uid } }, cancellationToken);
        }
        catch (ApiException e) when (e.IsNotFound || e.IsConflict)
        {
            // Gone, or another pod of that name by now.
        }
    }

    private static JsonObject Target(V1Pod pod, DateTimeOffset now) => new()
    {
        ["metadata"] = new JsonObject { ["uid"] = pod.Metadata.Uid },
        ["status"] = new JsonObject
        {
            ["conditions"] = new JsonArray(new JsonObject
            {
                ["type"] = "DisruptionTarget",
                ["observedGeneration"] = pod.Metadata.Generation ?? 1,
                ["status"] = "True",
                ["reason"] = "DeletionByTaintManager",
                ["message"] = "Taint manager: deleting due to NoExecute taint",
                ["lastTransitionTime"] = now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture),
            }),
        },
    };
}
