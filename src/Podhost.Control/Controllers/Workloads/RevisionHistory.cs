using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Selectors;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Control.Objects;

namespace Podhost.Control.Controllers.Workloads;

/// <summary>The revisions of owners in the store: found, adopted, made, numbered anew and trimmed.</summary>
/// <param name="client">Writes revisions.</param>
/// <param name="kind">The owners.</param>
/// <param name="revisions">All revisions.</param>
internal sealed class RevisionHistory<TOwner>(IApiClient client, OwnerKind<TOwner> kind, IInformer<V1ControllerRevision> revisions)
    where TOwner : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly InformerIndex<V1ControllerRevision> _byController = revisions.AddIndex(OwnerIndex.ByController);

    /// <summary>An owner's revisions, oldest first; orphans that its selector finds are adopted.</summary>
    public async Task<IReadOnlyList<V1ControllerRevision>> ClaimAsync(TOwner owner, CancellationToken cancellationToken)
    {
        // As with pods: one that is orphaned between the two reads is missed, and not had twice.
        var orphans = _byController.Get(OwnerIndex.OrphansOf(owner.Metadata.NamespaceProperty));
        var mine = new List<V1ControllerRevision>(_byController.Get(owner.Metadata.Uid));
        var selector = kind.SelectorOf(owner);
        foreach (var orphan in orphans.Where(r => Found(selector, owner, r)))
        {
            if (mine.All(m => m.Metadata.Uid != orphan.Metadata.Uid) && await Ownership.MayAdoptAsync(client, owner, cancellationToken))
            {
                var references = Ownership.ToJson((orphan.Metadata.OwnerReferences ?? []).Append(kind.Reference(owner)));
                mine.Add(await PatchAsync(orphan, new JsonObject { ["metadata"] = new JsonObject { ["ownerReferences"] = references } }, cancellationToken));
            }
        }

        return RevisionRules.Sorted(mine);
    }

    /// <summary>The revision of the owner's template, made or numbered anew where it must be, and how often its name was taken by another.</summary>
    /// <param name="owner">The owner.</param>
    /// <param name="template">Its template.</param>
    /// <param name="mine">Its revisions, oldest first.</param>
    /// <param name="collisions">How often names were taken so far.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<(V1ControllerRevision Revision, int Collisions)> PresentAsync(
        TOwner owner, V1PodTemplateSpec template, IReadOnlyList<V1ControllerRevision> mine, int collisions, CancellationToken cancellationToken)
    {
        var plan = RevisionRules.Decide(mine, RevisionRules.DataOf(template));
        if (plan.Found is not { } found)
        {
            return await MakeAsync(owner, template, plan.Number, collisions, cancellationToken);
        }

        return (found.Revision == plan.Number ? found : await PatchAsync(found, new JsonObject { ["revision"] = plan.Number }, cancellationToken), collisions);
    }

    /// <summary>Deletes the oldest unused revisions past a limit.</summary>
    public async Task TrimAsync(IReadOnlyList<V1ControllerRevision> mine, IReadOnlySet<string> live, int limit, CancellationToken cancellationToken)
    {
        foreach (var revision in RevisionRules.Surplus(mine, live, limit))
        {
            try
            {
                var options = new V1DeleteOptions { Preconditions = new V1Preconditions { Uid = revision.Metadata.Uid } };
                await client.DeleteAsync<V1ControllerRevision>(revision.Metadata.NamespaceProperty, revision.Metadata.Name, options, cancellationToken);
            }
            catch (ApiException e) when (e.IsNotFound)
            {
                // Gone already; the copy is behind.
            }
        }
    }

    private static bool Found(LabelSelector selector, TOwner owner, V1ControllerRevision revision) =>
        owner.Metadata.DeletionTimestamp is null && revision.Metadata.DeletionTimestamp is null && selector.Selects(revision.Metadata)
        && revision.Metadata.Name.StartsWith(owner.Metadata.Name + "-", StringComparison.Ordinal);

    private async Task<(V1ControllerRevision Revision, int Collisions)> MakeAsync(
        TOwner owner, V1PodTemplateSpec template, long number, int collisions, CancellationToken cancellationToken)
    {
        var wanted = RevisionRules.Make(owner, kind.Reference(owner), template, number, collisions);
        try
        {
            return (await client.CreateAsync(wanted, cancellationToken), collisions);
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            // Ours, which the copy does not show yet, or another of that name: then the next name is tried.
            var there = await client.GetAsync<V1ControllerRevision>(wanted.Metadata.NamespaceProperty, wanted.Metadata.Name, cancellationToken);
            return Ownership.Controls(owner, there) && RevisionRules.Holds(there, RevisionRules.DataOf(template))
                ? (there, collisions)
                : (await client.CreateAsync(RevisionRules.Make(owner, kind.Reference(owner), template, number, collisions + 1), cancellationToken), collisions + 1);
        }
    }

    private Task<V1ControllerRevision> PatchAsync(V1ControllerRevision revision, JsonObject patch, CancellationToken cancellationToken)
    {
        if (patch["metadata"] is not JsonObject metadata)
        {
            patch["metadata"] = metadata = [];
        }

        metadata["resourceVersion"] = revision.Metadata.ResourceVersion;
        return client.PatchAsync<V1ControllerRevision>(
            revision.Metadata.NamespaceProperty, revision.Metadata.Name, PatchKind.Merge, patch, null, cancellationToken);
    }
}
