using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;
using Podhost.Control.Events;

namespace Podhost.Control.Controllers.NodeLifecycle;

/// <summary>
/// Marks nodes that are silent (neither Lease nor status renewed): conditions Unknown, pods not ready, NoExecute taints that make them leave.
/// One timer per node, moved by what is heard of it; nothing is scanned.
/// </summary>
public sealed class NodeLifecycleController : IController
{
    private const string LeaseNamespace = "kube-node-lease";
    private readonly IApiClient _client;
    private readonly IInformer<V1Node> _nodes;
    private readonly IInformer<V1Lease> _leases;
    private readonly IInformer<V1Pod> _pods;
    private readonly NodePods _marks;
    private readonly IEventSink _events;
    private readonly NodeLifecycleOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    // Only the one worker touches it.
    private readonly Dictionary<string, Known> _known = new(StringComparer.Ordinal);

    /// <summary>A controller.</summary>
    /// <param name="client">Patches nodes and pods.</param>
    /// <param name="nodes">All nodes.</param>
    /// <param name="leases">Leases, those of kube-node-lease among them.</param>
    /// <param name="pods">All pods.</param>
    /// <param name="events">Records NodeNotReady.</param>
    /// <param name="options">Grace periods.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public NodeLifecycleController(
        IApiClient client,
        IInformer<V1Node> nodes,
        IInformer<V1Lease> leases,
        IInformer<V1Pod> pods,
        IEventSink events,
        NodeLifecycleOptions options,
        TimeProvider time,
        ILoggerFactory logs)
    {
        _client = client;
        _nodes = nodes;
        _leases = leases;
        _pods = pods;
        _marks = new NodePods(client, pods, events, time);
        _events = events;
        _options = options;
        _time = time;
        _log = logs.CreateLogger<NodeLifecycleController>();
    }

    /// <inheritdoc />
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(_nodes.Synced, _leases.Synced, _pods.Synced).WaitAsync(cancellationToken);
        using var queue = new WorkQueue<string>(new WorkQueueOptions { MaxRetryDelay = TimeSpan.FromSeconds(10) }, _time, _log);
        using var nodes = _nodes.Subscribe(e =>
        {
            queue.Add(e.Object.Metadata.Name);
            if (e.Type == WatchEventKind.Deleted || e.Previous is null || NodeLifecycleRules.IsReady(e.Object) != NodeLifecycleRules.IsReady(e.Previous))
            {
                // Whether others are ready decides about everybody's taints.
                foreach (var other in _nodes.List())
                {
                    queue.Add(other.Metadata.Name);
                }
            }
        });
        using var leases = _leases.Subscribe(e =>
        {
            if (e.Object.Metadata.NamespaceProperty == LeaseNamespace)
            {
                queue.Add(e.Object.Metadata.Name);
            }
        });
        await queue.RunAsync(1, (name, stop) => LookAsync(queue, name, stop), cancellationToken);
    }

    private async Task LookAsync(WorkQueue<string> queue, string name, CancellationToken cancellationToken)
    {
        if (_nodes.Get(null, name) is not { } node)
        {
            _known.Remove(name);
            return;
        }

        var now = _time.GetUtcNow();
        var before = _known.GetValueOrDefault(name) is { } k && k.Uid == node.Metadata.Uid ? k : null;
        var health = NodeHealth.Of(before?.Health, node, _leases.Get(LeaseNamespace, name), now);
        var known = _known[name] = before ?? new Known { Uid = node.Metadata.Uid, Marked = NodeLifecycleRules.Ready(node)?.Status == "False" };
        known.Health = health;
        try
        {
            await ApplyAsync(queue, node, known, now, cancellationToken);
        }
        catch (ApiException e) when (e.IsNotFound || e.IsConflict)
        {
            // The copy is old; what it lacks comes as an event.
            queue.AddRateLimited(name);
        }
    }

    private async Task ApplyAsync(WorkQueue<string> queue, V1Node node, Known known, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var name = node.Metadata.Name;
        var expires = known.Health!.ExpiresAt(_options);
        if (expires > now)
        {
            queue.AddAfter(name, expires - now);
        }
        else if (NodeLifecycleRules.Expired(node, now.UtcDateTime) is { Count: > 0 } conditions)
        {
            var status = new JsonObject { ["conditions"] = new JsonArray([.. conditions.Select(c => (JsonNode)ObjectCodec.ToObject(c))]) };
            await PatchAsync(node, "status", status, "status", cancellationToken);
            return; // what follows is decided from what the server has made of it
        }

        await TellAsync(node, known, cancellationToken);
        if (NodeLifecycleRules.Taints(node, _nodes.List(), now.UtcDateTime) is { } taints)
        {
            var spec = new JsonObject { ["taints"] = new JsonArray([.. taints.Select(t => (JsonNode)ObjectCodec.ToObject(t))]) };
            await PatchAsync(node, "spec", spec, null, cancellationToken);
        }
    }

    // Only a node that ceases to be ready gets its pods marked: a kubelet that still posts has the last word about them.
    private async Task TellAsync(V1Node node, Known known, CancellationToken cancellationToken)
    {
        var ready = NodeLifecycleRules.Ready(node)?.Status;
        if (ready == "True")
        {
            (known.WasReady, known.Marked) = (true, false);
            return;
        }

        if (known.WasReady)
        {
            _events.Record(node, "Normal", "NodeNotReady", $"Node {node.Metadata.Name} status is now: NodeNotReady");
            known.WasReady = false;
        }

        if (ready is not null && !known.Marked)
        {
            await _marks.MarkNotReadyAsync(node.Metadata.Name, cancellationToken);
            known.Marked = true;
        }
    }

    // With the version that was decided from: whoever wrote meanwhile is not overwritten.
    private Task PatchAsync(V1Node node, string field, JsonObject value, string? subresource, CancellationToken cancellationToken)
    {
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["uid"] = node.Metadata.Uid, ["resourceVersion"] = node.Metadata.ResourceVersion },
            [field] = value,
        };
        return _client.PatchAsync<V1Node>(null, node.Metadata.Name, subresource is null ? PatchKind.Merge : PatchKind.Strategic, patch, subresource, cancellationToken);
    }

    private sealed class Known
    {
        public required string? Uid { get; init; }

        public NodeHealth? Health { get; set; }

        public bool WasReady { get; set; }

        public bool Marked { get; set; }
    }
}
