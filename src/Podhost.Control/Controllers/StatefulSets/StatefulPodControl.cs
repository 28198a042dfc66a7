using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Control.Controllers.Workloads;
using Podhost.Control.Events;
using Podhost.Control.Objects;

namespace Podhost.Control.Controllers.StatefulSets;

/// <summary>Makes and deletes the pods of StatefulSets and their claims, and tells of it in events.</summary>
/// <param name="client">Writes pods and claims.</param>
/// <param name="claims">All claims.</param>
/// <param name="events">Tells what was made and deleted.</param>
/// <param name="expectations">What is written and not seen yet.</param>
/// <param name="pods">Deletes.</param>
internal sealed class StatefulPodControl(IApiClient client, IInformer<V1PersistentVolumeClaim> claims, IEventSink events, Expectations expectations, PodControl pods)
{
    /// <summary>True where a claim of an ordinal is on its way out: the pod waits until it is gone.</summary>
    public bool MustWait(V1StatefulSet set, V1Pod pod, long ordinal) => StatefulIdentity.ClaimsOf(set, ordinal)
        .Any(c => claims.Get(c.Metadata.NamespaceProperty, c.Metadata.Name) is { } there && ClaimRetention.IsOfFormerPod(there, pod.Metadata.Name));

    /// <summary>Creates a pod, its claims before it.</summary>
    public async Task CreateAsync(V1StatefulSet set, V1Pod pod, long ordinal, CancellationToken cancellationToken)
    {
        await CreateClaimsAsync(set, pod, ordinal, cancellationToken);
        var key = ObjectKey.Of(set);
        expectations.ExpectCreations(key, 1);
        try
        {
            await client.CreateAsync(pod, cancellationToken);
            events.Record(set, "Normal", "SuccessfulCreate", $"create Pod {pod.Metadata.Name} in StatefulSet {set.Metadata.Name} successful");
        }
        catch (ApiException e)
        {
            expectations.CreationSeen(key);
            if (!e.IsAlreadyExists)
            {
                events.Record(set, "Warning", "FailedCreate", $"create Pod {pod.Metadata.Name} in StatefulSet {set.Metadata.Name} failed error: {e.Message}");
            }

            throw;
        }
    }

    /// <summary>Deletes a pod, where it still is the one that was seen.</summary>
    public Task DeleteAsync(V1StatefulSet set, V1Pod pod, CancellationToken cancellationToken)
    {
        var what = $"delete Pod {pod.Metadata.Name} in StatefulSet {set.Metadata.Name}";
        return pods.DeleteAsync(set, pod, $"{what} successful", $"{what} failed error: ", cancellationToken);
    }

    /// <summary>Gives a pod the labels of its identity and its claims, and the claims their owners.</summary>
    /// <param name="set">The set.</param>
    /// <param name="pod">The pod.</param>
    /// <param name="ordinal">Its ordinal.</param>
    /// <param name="isScaledDown">True where it is no longer wanted.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task TidyAsync(V1StatefulSet set, V1Pod pod, long ordinal, bool isScaledDown, CancellationToken cancellationToken)
    {
        var labels = new JsonObject();
        foreach (var (key, value) in StatefulIdentity.LabelsOf(set, ordinal))
        {
            if (pod.Metadata.Labels?.TryGetValue(key, out var has) != true || has != value)
            {
                labels[key] = value;
            }
        }

        if (labels.Count > 0)
        {
            var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = pod.Metadata.Uid, ["labels"] = labels } };
            await client.PatchAsync<V1Pod>(pod.Metadata.NamespaceProperty, pod.Metadata.Name, PatchKind.Merge, patch, null, cancellationToken);
        }

        if (!isScaledDown && pod.Status?.Phase == "Pending" && pod.Metadata.DeletionTimestamp is null)
        {
            await CreateClaimsAsync(set, pod, ordinal, cancellationToken);
        }

        await RetainAsync(set, pod, ordinal, isScaledDown, cancellationToken);
    }

    private async Task RetainAsync(V1StatefulSet set, V1Pod pod, long ordinal, bool isScaledDown, CancellationToken cancellationToken)
    {
        foreach (var template in set.Spec.VolumeClaimTemplates ?? [])
        {
            if (claims.Get(set.Metadata.NamespaceProperty, StatefulIdentity.ClaimNameOf(set, template, ordinal)) is { } claim
                && ClaimRetention.Decide(set, pod, isScaledDown, claim) is { } references)
            {
                // With the version that this was decided from: somebody else may own it meanwhile.
                var metadata = new JsonObject { ["resourceVersion"] = claim.Metadata.ResourceVersion, ["ownerReferences"] = Ownership.ToJson(references) };
                await client.PatchAsync<V1PersistentVolumeClaim>(
                    claim.Metadata.NamespaceProperty, claim.Metadata.Name, PatchKind.Merge, new JsonObject { ["metadata"] = metadata }, null, cancellationToken);
            }
        }
    }

    private async Task CreateClaimsAsync(V1StatefulSet set, V1Pod pod, long ordinal, CancellationToken cancellationToken)
    {
        foreach (var claim in StatefulIdentity.ClaimsOf(set, ordinal).Where(c => claims.Get(c.Metadata.NamespaceProperty, c.Metadata.Name) is null))
        {
            var what = $"Claim {claim.Metadata.Name} Pod {pod.Metadata.Name} in StatefulSet {set.Metadata.Name}";
            try
            {
                await client.CreateAsync(claim, cancellationToken);
                events.Record(set, "Normal", "SuccessfulCreate", $"create {what} success");
            }
            catch (ApiException e) when (e.IsAlreadyExists)
            {
                // Kept from before, or made a moment ago: the copy is behind.
            }
            catch (ApiException e)
            {
                events.Record(set, "Warning", "FailedCreate", $"create {what} failed error: {e.Message}");
                throw;
            }
        }
    }
}
