using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.Client;
using Podhost.Client.Queues;
using Podhost.Control.Objects;

namespace Podhost.Control.Controllers.GarbageCollector;

/// <summary>
/// Deletes what no living owner keeps, ends foreground deletions when nobody blocks them, and orphans dependents where that was asked for.
/// Its graph only says what to look at: that an owner is gone is asked of the server before anything is deleted.
/// </summary>
public sealed partial class GarbageCollectorController : IController
{
    private readonly ObjectApi _objects;
    private readonly IReadOnlyList<OwnedKind> _kinds;
    private readonly OwnershipGraph _graph = new();
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    /// <summary>A collector.</summary>
    /// <param name="client">Reads owners, deletes and patches.</param>
    /// <param name="kinds">The kinds whose objects are collected.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public GarbageCollectorController(IApiClient client, IReadOnlyList<OwnedKind> kinds, TimeProvider time, ILoggerFactory logs)
    {
        _objects = new ObjectApi(client);
        _kinds = kinds;
        _time = time;
        _log = logs.CreateLogger<GarbageCollectorController>();
    }

    /// <inheritdoc />
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(_kinds.Select(k => k.Synced)).WaitAsync(cancellationToken);
        using var queue = new WorkQueue<string>(new WorkQueueOptions { MaxRetryDelay = TimeSpan.FromSeconds(30) }, _time, _log);
        var subscriptions = _kinds.Select(k => k.Subscribe((before, after) =>
        {
            foreach (var uid in _graph.Apply(before, after))
            {
                queue.Add(uid);
            }
        })).ToList();
        try
        {
            await queue.RunAsync(4, (uid, stop) => CollectAsync(queue, uid, stop), cancellationToken);
        }
        finally
        {
            subscriptions.ForEach(s => s.Dispose());
        }
    }

    private async Task CollectAsync(WorkQueue<string> queue, string uid, CancellationToken cancellationToken)
    {
        if (_graph.Get(uid) is not { } obj)
        {
            return;
        }

        try
        {
            var owners = new List<(V1OwnerReference, OwnerState)>();
            foreach (var owner in obj.IsDeleting ? [] : obj.Owners)
            {
                owners.Add((owner, await StateAsync(obj, owner, cancellationToken)));
            }

            await ActAsync(obj, GarbageRules.Decide(obj, owners, _graph.Dependents(uid)), cancellationToken);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // Somebody was faster; the informer tells.
        }
        catch (ApiException e) when (e.IsConflict)
        {
            // The copy is older than the server's object: again when it has caught up.
            queue.AddRateLimited(uid);
        }
    }

    private async Task<OwnerState> StateAsync(ObjectIdentity dependent, V1OwnerReference reference, CancellationToken cancellationToken)
    {
        // A kind that is not served here cannot be asked for; a cluster-scoped dependent cannot have an owner in a namespace.
        if (FindKind(reference.ApiVersion ?? "", reference.Kind ?? "") is not { IsVirtual: false } resource
            || (resource.Namespaced && dependent.Namespace.Length == 0))
        {
            LogUnknownOwner(dependent.ToString(), reference.ApiVersion, reference.Kind, reference.Name);
            return OwnerState.Solid;
        }

        var ns = resource.Namespaced ? dependent.Namespace : "";
        if (_graph.Get(reference.Uid ?? "") is { } known && known.Resource.QualifiedName == resource.QualifiedName && known.Name == reference.Name && known.Namespace == ns)
        {
            return GarbageRules.WaitsForDependents(known) ? OwnerState.Waiting : OwnerState.Solid;
        }

        if (await _objects.GetAsync(resource, ns, reference.Name, cancellationToken) is not { } live)
        {
            return OwnerState.Absent;
        }

        var owner = ObjectIdentity.Of(resource, live);
        return owner.Uid != reference.Uid ? OwnerState.Absent : GarbageRules.WaitsForDependents(owner) ? OwnerState.Waiting : OwnerState.Solid;
    }

    private ResourceInfo? FindKind(string apiVersion, string kind) =>
        ResourceTable.FindKind(apiVersion, kind) ?? _kinds.Select(k => k.FindKind(apiVersion, kind)).FirstOrDefault(k => k is not null);

    private async Task ActAsync(ObjectIdentity obj, GarbageAction action, CancellationToken cancellationToken)
    {
        switch (action)
        {
            case GarbageAction.Delete delete:
                LogDelete(obj.ToString(), delete.Propagation);
                if (delete.Unblocks)
                {
                    await UnblockAsync(obj, cancellationToken);
                }

                await _objects.DeleteAsync(obj.Resource, obj.Namespace, obj.Name, new V1DeleteOptions
                {
                    PropagationPolicy = delete.Propagation,
                    Preconditions = new V1Preconditions { Uid = obj.Uid, ResourceVersion = delete.Unblocks ? null : obj.Metadata.ResourceVersion },
                }, cancellationToken);
                break;
            case GarbageAction.DropOwners drop:
                await DropOwnersAsync(obj, drop.Uids, cancellationToken);
                break;
            case GarbageAction.Orphan:
                await OrphanAsync(obj, cancellationToken);
                break;
            case GarbageAction.FinishForeground:
                await DropFinalizerAsync(obj, GarbageRules.ForegroundFinalizer, cancellationToken);
                break;
        }
    }

    private async Task OrphanAsync(ObjectIdentity obj, CancellationToken cancellationToken)
    {
        foreach (var dependent in _graph.Dependents(obj.Uid))
        {
            try
            {
                await DropOwnersAsync(dependent, [obj.Uid], cancellationToken);
            }
            catch (ApiException e) when (e.IsNotFound)
            {
                // Gone: nothing to orphan.
            }
        }

        await DropFinalizerAsync(obj, GarbageRules.OrphanFinalizer, cancellationToken);
    }

    private Task DropOwnersAsync(ObjectIdentity obj, IReadOnlyCollection<string> uids, CancellationToken cancellationToken)
    {
        var kept = obj.Owners.Where(o => !uids.Contains(o.Uid)).Select(o => (JsonNode)ObjectCodec.ToObject(o));
        return PatchAsync(obj, "ownerReferences", new JsonArray([.. kept]), cancellationToken);
    }

    private Task UnblockAsync(ObjectIdentity obj, CancellationToken cancellationToken)
    {
        var references = new JsonArray([.. obj.Owners.Select(o => (JsonNode)ObjectCodec.ToObject(o))]);
        foreach (var reference in references)
        {
            reference!["blockOwnerDeletion"] = false;
        }

        return PatchAsync(obj, "ownerReferences", references, cancellationToken);
    }

    private Task DropFinalizerAsync(ObjectIdentity obj, string finalizer, CancellationToken cancellationToken)
    {
        var kept = obj.Metadata.Finalizers.Where(f => f != finalizer).Select(f => (JsonNode)f);
        return PatchAsync(obj, "finalizers", new JsonArray([.. kept]), cancellationToken);
    }

    // With uid and resourceVersion: the whole list is replaced, so it must be the list that we have seen.
    private Task PatchAsync(ObjectIdentity obj, string field, JsonArray value, CancellationToken cancellationToken) => _objects.MergeAsync(
        obj.Resource,
        obj.Namespace,
        obj.Name,
        new JsonObject
        {
            ["metadata"] = new JsonObject { ["uid"] = obj.Uid, ["resourceVersion"] = obj.Metadata.ResourceVersion, [field] = value },
        },
        cancellationToken);

    [LoggerMessage(Level = LogLevel.Information, Message = "deleting {Object}: no owner keeps it ({Propagation})")]
    private partial void LogDelete(string @object, string propagation);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Object} keeps its owner {ApiVersion} {Kind} {Name}: it cannot be looked up")]
    private partial void LogUnknownOwner(string @object, string? apiVersion, string? kind, string? name);
}
