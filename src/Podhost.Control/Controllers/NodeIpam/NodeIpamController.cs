using System.Net;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;
using Podhost.Control.Events;

namespace Podhost.Control.Controllers.NodeIpam;

/// <summary>
/// Gives each Node without spec.podCIDR a range of the cluster's. A range is taken as long as a Node has it, so a deleted Node's is free again, and
/// there is no state but the Nodes'.
/// </summary>
public sealed class NodeIpamController : QueueController
{
    private const string NotAvailable = "CIDRNotAvailable";
    private readonly IApiClient _client;
    private readonly IInformer<V1Node> _nodes;
    private readonly IEventSink _events;
    private readonly NodeIpamOptions _options;

    // Written to the API, and not yet seen in the copy. One worker: only it touches this.
    private readonly Dictionary<string, (string? Uid, IReadOnlyList<IPNetwork> Ranges)> _written = new(StringComparer.Ordinal);

    /// <summary>A controller.</summary>
    /// <param name="client">Patches nodes.</param>
    /// <param name="nodes">All nodes.</param>
    /// <param name="events">Tells of nodes that get none.</param>
    /// <param name="options">What is cut.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public NodeIpamController(IApiClient client, IInformer<V1Node> nodes, IEventSink events, NodeIpamOptions options, TimeProvider time, ILoggerFactory logs)
        : base(1, time, logs.CreateLogger<NodeIpamController>()) =>
        (_client, _nodes, _events, _options) = (client, nodes, events, options);

    /// <inheritdoc />
    protected override IReadOnlyList<Task> Synced => [_nodes.Synced];

    /// <inheritdoc />
    protected override IEnumerable<IDisposable> Subscribe(WorkQueue<ObjectKey> queue)
    {
        ArgumentNullException.ThrowIfNull(queue);
        yield return _nodes.Subscribe(e =>
        {
            // Of a node with a range only its end matters, and that it is the one that we gave.
            if (e.Type is WatchEventKind.Deleted || e.Previous is null || !NodeIpamRules.HasRange(e.Previous))
            {
                queue.Add(ObjectKey.Of(e.Object));
            }
        });
    }

    /// <inheritdoc />
    protected override async Task ReconcileAsync(WorkQueue<ObjectKey> queue, ObjectKey key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(queue);
        var node = _nodes.Get(null, key.Name);
        if (node is null || NodeIpamRules.HasRange(node))
        {
            _written.Remove(key.Name);
        }

        if (node is null)
        {
            // Its range may be what another one waits for.
            foreach (var waiting in _nodes.List().Where(n => !NodeIpamRules.HasRange(n)))
            {
                queue.Add(ObjectKey.Of(waiting));
            }
        }
        else if (!NodeIpamRules.HasRange(node) && !IsWritten(node))
        {
            await GiveAsync(node, cancellationToken);
        }
    }

    private bool IsWritten(V1Node node) => _written.TryGetValue(node.Metadata.Name, out var given) && given.Uid == node.Metadata.Uid;

    private async Task GiveAsync(V1Node node, CancellationToken cancellationToken)
    {
        var name = node.Metadata.Name;
        var taken = _nodes.List().SelectMany(NodeIpamRules.RangesOf).Concat(_written.Where(w => w.Key != name).SelectMany(w => w.Value.Ranges)).ToList();
        if (NodeIpamRules.Next(_options, name, taken) is not { } ranges)
        {
            // Asked again when a node goes, so nobody needs to try.
            _events.Record(node, "Normal", NotAvailable, $"Node {name} status is now: {NotAvailable}");
            return;
        }

        // A node that has one meanwhile keeps it: the API refuses a change.
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["uid"] = node.Metadata.Uid },
            ["spec"] = new JsonObject { ["podCIDR"] = $"{ranges[0]}", ["podCIDRs"] = new JsonArray([.. ranges.Select(r => (JsonNode)$"{r}")]) },
        };
        try
        {
            await _client.PatchAsync<V1Node>(null, name, PatchKind.Merge, patch, null, cancellationToken);
            _written[name] = (node.Metadata.Uid, ranges);
        }
        catch (ApiException e) when (e.IsNotFound || e.IsConflict)
        {
            // Gone, perhaps another one of its name: its event follows.
        }
    }
}
