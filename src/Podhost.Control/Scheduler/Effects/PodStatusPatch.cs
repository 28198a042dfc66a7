using System.Globalization;
using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Client;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler.Effects;

/// <summary>Writes one condition of a pod, and its nominated node.</summary>
internal static class PodStatusPatch
{
    /// <summary>The pod fits nowhere.</summary>
    /// <param name="client">As system:kube-scheduler.</param>
    /// <param name="pod">The pod.</param>
    /// <param name="message">Why.</param>
    /// <param name="nominated">The node that it waits for; "" for none; null leaves it as it is.</param>
    /// <param name="now">The transition.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static Task UnschedulableAsync(IApiClient client, PodView pod, string message, string? nominated, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var status = new JsonObject { ["conditions"] = new JsonArray(Condition(pod, "PodScheduled", "False", "Unschedulable", message, now)) };
        if (nominated is not null)
        {
            status["nominatedNodeName"] = nominated.Length > 0 ? nominated : null;
        }

        return SendAsync(client, pod, status, cancellationToken);
    }

    /// <summary>The pod must leave for a more important one.</summary>
    public static Task PreemptedAsync(IApiClient client, PodView victim, PodView preemptor, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var message = $"{preemptor.Spec.SchedulerName ?? "default-scheduler"}: preempting to accommodate a higher priority pod";
        var status = new JsonObject { ["conditions"] = new JsonArray(Condition(victim, "DisruptionTarget", "True", "PreemptionByScheduler", message, now)) };
        return SendAsync(client, victim, status, cancellationToken);
    }

    /// <summary>The pod waits for no node any more.</summary>
    public static Task NotNominatedAsync(IApiClient client, PodView pod, CancellationToken cancellationToken) =>
        SendAsync(client, pod, new JsonObject { ["nominatedNodeName"] = null }, cancellationToken);

    private static Task SendAsync(IApiClient client, PodView pod, JsonObject status, CancellationToken cancellationToken)
    {
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = pod.Uid }, ["status"] = status };
        return client.PatchAsync<V1Pod>(pod.Namespace, pod.Pod.Metadata.Name, PatchKind.Strategic, patch, "status", cancellationToken);
    }

    private static JsonObject Condition(PodView pod, string type, string status, string reason, string message, DateTimeOffset now) => new()
    {
        ["type"] = type,
        ["status"] = status,
        ["reason"] = reason,
        ["message"] = message,
        ["observedGeneration"] = pod.Pod.Metadata.Generation ?? 1,
        ["lastProbeTime"] = null,
        ["lastTransitionTime"] = now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
    };
}
