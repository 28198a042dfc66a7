using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;

namespace Podhost.Control.Controllers.NodeTaints;

/// <summary>Keeps the NoSchedule taints of nodes as their conditions and spec.unschedulable say.</summary>
public sealed class NodeTaintController : IController
{
    private readonly IApiClient _client;
    private readonly IInformer<V1Node> _nodes;
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    /// <summary>A controller.</summary>
    /// <param name="client">Patches nodes.</param>
    /// <param name="nodes">All nodes.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public NodeTaintController(IApiClient client, IInformer<V1Node> nodes, TimeProvider time, ILoggerFactory logs)
    {
        _client = client;
        _nodes = nodes;
        _time = time;
        _log = logs.CreateLogger<NodeTaintController>();
    }

    /// <inheritdoc />
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await _nodes.Synced.WaitAsync(cancellationToken);
        using var queue = new WorkQueue<string>(new WorkQueueOptions { MaxRetryDelay = TimeSpan.FromSeconds(10) }, _time, _log);
        using var nodes = _nodes.Subscribe(e => queue.Add(e.Object.Metadata.Name));
        await queue.RunAsync(2, (name, stop) => TaintAsync(queue, name, stop), cancellationToken);
    }

    private async Task TaintAsync(WorkQueue<string> queue, string name, CancellationToken cancellationToken)
    {
        if (_nodes.Get(null, name) is not { } node || NodeTaintRules.Wanted(node, _time.GetUtcNow().UtcDateTime) is not { } wanted)
        {
            return;
        }

        // The whole list is written, so it must be the list that we have seen.
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["uid"] = node.Metadata.Uid, ["resourceVersion"] = node.Metadata.ResourceVersion },
            ["spec"] = new JsonObject { ["taints"] = new JsonArray([.. wanted.Select(t => (JsonNode)ObjectCodec.ToObject(t))]) },
        };
        try
        {
            await _client.PatchAsync<V1Node>(null, name, PatchKind.Merge, patch, null, cancellationToken);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // Gone.
        }
        catch (ApiException e) when (e.IsConflict)
        {
            queue.AddRateLimited(name);
        }
    }
}
