using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Client;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Effects;

/// <summary>Sends a pod to its node.</summary>
internal static class PodBinding
{
    public static Task SendAsync(IApiClient client, PodView pod, string node, CancellationToken cancellationToken)
    {
        var binding = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Binding",
            ["metadata"] = new JsonObject { ["name"] = pod.Pod.Metadata.Name, ["namespace"] = pod.Namespace, ["uid"] = pod.Uid },
            ["target"] = new JsonObject { ["kind"] = "Node", ["name"] = node },
        };
        return client.PostSubresourceAsync<V1Pod>(pod.Namespace, pod.Pod.Metadata.Name, "binding", binding, cancellationToken);
    }
}
