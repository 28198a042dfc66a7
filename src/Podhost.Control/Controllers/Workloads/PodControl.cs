using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Control.Events;
using Podhost.Control.Objects;

namespace Podhost.Control.Controllers.Workloads;

/// <summary>Makes, adopts, releases and deletes the pods of an owner, tells of it in events, and keeps the owner's expectations.</summary>
internal sealed class PodControl(IApiClient client, IEventSink events, Expectations expectations)
{
    /// <summary>Creates pods in batches that double: where the first is refused, hundreds are not tried.</summary>
    /// <returns>How many were created, and the refusal that ended it.</returns>
    public async Task<(int Created, ApiException? Refusal)> CreateAsync(
        IKubernetesObject<V1ObjectMeta> owner, IReadOnlyList<V1Pod> pods, CancellationToken cancellationToken)
    {
        var key = ObjectKey.Of(owner);
        expectations.ExpectCreations(key, pods.Count);
        var done = 0;
        for (var batch = 1; done < pods.Count; batch *= 2)
        {
            var size = Math.Min(batch, pods.Count - done);
            var results = await Task.WhenAll(pods.Skip(done).Take(size).Select(p => TryCreateAsync(owner, key, p, cancellationToken)));
            done += size;
            if (results.FirstOrDefault(r => r is not null) is { } refusal)
            {
                for (var i = done; i < pods.Count; i++)
                {
                    expectations.CreationSeen(key);
                }

                return (done - results.Count(r => r is not null), refusal);
            }
        }

        return (done, null);
    }

    public Task DeleteAsync(IKubernetesObject<V1ObjectMeta> owner, IEnumerable<V1Pod> pods, CancellationToken cancellationToken) =>
        Task.WhenAll(pods.Select(p => DeleteAsync(owner, p, $"Deleted pod: {p.Metadata.Name}", "Error deleting: ", cancellationToken)));

    /// <summary>Deletes a pod, where it still is the one that was seen.</summary>
    /// <param name="owner">Whose expectations and events it is about.</param>
    /// <param name="pod">The pod.</param>
    /// <param name="deleted">The message of the event.</param>
    /// <param name="failed">What the message of the event begins with where the server refused it.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task DeleteAsync(IKubernetesObject<V1ObjectMeta> owner, V1Pod pod, string deleted, string failed, CancellationToken cancellationToken)
    {
        var key = ObjectKey.Of(owner);
        expectations.ExpectDeletion(key, pod.Metadata.Uid);
        try
        {
            var options = new V1DeleteOptions { Preconditions = new V1Preconditions { Uid = pod.Metadata.Uid } };
            await client.DeleteAsync<V1Pod>(pod.Metadata.NamespaceProperty, pod.Metadata.Name, options, cancellationToken);
            events.Record(owner, "Normal", "SuccessfulDelete", deleted);
        }
        catch (ApiException e)
        {
            expectations.DeletionSeen(key, pod.Metadata.Uid);
            if (!e.IsNotFound && !e.IsConflict)
            {
                events.Record(owner, "Warning", "FailedDelete", failed + e.Message);
                throw;
            }
        }
    }

    /// <summary>Takes an orphan, where it still is the pod that was seen.</summary>
    /// <param name="reference">The reference to its owner.</param>
    /// <param name="pod">The pod.</param>
    /// <param name="finalizer">What it carries from then on; null for nothing.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public Task AdoptAsync(V1OwnerReference reference, V1Pod pod, string? finalizer, CancellationToken cancellationToken)
    {
        var metadata = new JsonObject { ["ownerReferences"] = Ownership.ToJson((pod.Metadata.OwnerReferences ?? []).Append(reference)) };
        if (finalizer is not null)
        {
            metadata["finalizers"] = Finalizers(Without(pod, finalizer).Append(finalizer));
        }

        return PatchAsync(pod, metadata, cancellationToken);
    }

    /// <summary>Lets go of a pod that the selector no longer finds.</summary>
    /// <param name="owner">Whose it was.</param>
    /// <param name="pod">The pod.</param>
    /// <param name="finalizer">What it carried as long as it was; null for nothing.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public Task ReleaseAsync(IKubernetesObject<V1ObjectMeta> owner, V1Pod pod, string? finalizer, CancellationToken cancellationToken)
    {
        var metadata = new JsonObject { ["ownerReferences"] = Ownership.ToJson(pod.Metadata.OwnerReferences.Where(r => r.Uid != owner.Metadata.Uid)) };
        if (finalizer is not null)
        {
            metadata["finalizers"] = Finalizers(Without(pod, finalizer));
        }

        return PatchAsync(pod, metadata, cancellationToken);
    }

    /// <summary>Takes a finalizer off a pod that has it.</summary>
    public async Task UnbindAsync(V1Pod pod, string finalizer, CancellationToken cancellationToken)
    {
        if (pod.Metadata.Finalizers?.Contains(finalizer) == true)
        {
            await PatchAsync(pod, new JsonObject { ["finalizers"] = Finalizers(Without(pod, finalizer)) }, cancellationToken);
        }
    }

    private static IEnumerable<string> Without(V1Pod pod, string finalizer) => (pod.Metadata.Finalizers ?? []).Where(f => f != finalizer);

    private static JsonArray Finalizers(IEnumerable<string> all) => [.. all.Select(f => (JsonNode)f)];

    private async Task PatchAsync(V1Pod pod, JsonObject metadata, CancellationToken cancellationToken)
    {
        metadata["uid"] = pod.Metadata.Uid;
        try
        {
            await client.PatchAsync<V1Pod>(
                pod.Metadata.NamespaceProperty, pod.Metadata.Name, PatchKind.Merge, new JsonObject { ["metadata"] = metadata }, null, cancellationToken);
        }
        catch (ApiException e) when (e.IsNotFound || e.IsConflict)
        {
            // Gone, or another of its name: nobody's business any more.
        }
    }

    private async Task<ApiException?> TryCreateAsync(IKubernetesObject<V1ObjectMeta> owner, ObjectKey key, V1Pod pod, CancellationToken cancellationToken)
    {
        try
        {
            var created = await client.CreateAsync(pod, cancellationToken);
            events.Record(owner, "Normal", "SuccessfulCreate", $"Created pod: {created.Metadata.Name}");
            return null;
        }
        catch (ApiException e)
        {
            expectations.CreationSeen(key);
            events.Record(owner, "Warning", "FailedCreate", $"Error creating: {e.Message}");
            return e;
        }
    }
}
