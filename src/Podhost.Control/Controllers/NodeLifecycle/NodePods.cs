using System.Globalization;
using System.Text.Json.Nodes;
using Podhost.Control.Objects;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Control.Events;

namespace Podhost.Control.Controllers.NodeLifecycle;

/// <summary>The effect on the pods of a node that is not ready: their Ready condition becomes False, so that no Service leads to them.</summary>
internal sealed class NodePods(IApiClient client, IInformer<V1Pod> pods, IEventSink events, TimeProvider time)
{
    private readonly InformerIndex<V1Pod> _byNode = pods.AddIndex(OwnerIndex.ByNode);

    public async Task MarkNotReadyAsync(string node, CancellationToken cancellationToken)
    {
        foreach (var pod in _byNode.Get(node).Where(PodStates.IsReady))
        {
            try
            {
                await client.PatchAsync<V1Pod>(
                    pod.Metadata.NamespaceProperty, pod.Metadata.Name, PatchKind.Strategic, Patch(pod, time.GetUtcNow()), "status", cancellationToken);
                events.Record(pod, "Warning", "NodeNotReady", "Node is not ready");
            }
            catch (ApiException e) when (e.IsNotFound || e.IsConflict)
            {
                // Gone, or another pod of that name by now.
            }
        }
    }

    private static JsonObject Patch(V1Pod pod, DateTimeOffset now) => new()
    {
        ["metadata"] = new JsonObject { ["uid"] = pod.Metadata.Uid },
        ["status"] = new JsonObject
        {
            ["conditions"] = new JsonArray(new JsonObject
            {
                ["type"] = "Ready",
                ["status"] = "False",
                ["lastTransitionTime"] = now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            }),
        },
    };
}
