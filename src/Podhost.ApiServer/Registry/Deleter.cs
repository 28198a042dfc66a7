using System.Text.Json.Nodes;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.ApiServer.Admission;
using Podhost.ApiServer.Registry.Custom;
using Podhost.ApiServer.Registry.Namespaces;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Registry;

/// <summary>The outcome of a delete.</summary>
/// <param name="Object">The object as it is now, or as it was last.</param>
/// <param name="Removed">True where it is gone, false where it stays for a grace period or for finalizers.</param>
internal readonly record struct Deletion(CachedObject Object, bool Removed);

/// <summary>Deletes objects: at once, after a grace period, or when the last finalizer is gone.</summary>
internal sealed class Deleter(ObjectStore store, Strategies strategies, AdmissionChain admission, Conversions conversions)
{
    private const int MaxTries = 32;

    /// <summary>Deletes one object.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="ns">Namespace.</param>
    /// <param name="name">Name.</param>
    /// <param name="deletion">DeleteOptions.</param>
    /// <param name="options">Options of the write.</param>
    /// <param name="annotate">Changes the object before it is marked (eviction's condition), or null.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async ValueTask<Deletion> DeleteAsync(
        ResourceInfo resource,
        string ns,
        string name,
        DeletionOptions deletion,
        WriteOptions options,
        Action<JsonObject>? annotate,
        CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= MaxTries; attempt++)
        {
            var current = ObjectStore.Require(await store.FreshAsync(resource, ns, name, cancellationToken), resource, name);
            var old = current.ToObject();
            WriteRules.Check(resource, name, current, old, deletion.Preconditions);
            var shown = ObjectViews.IsView(resource) ? await conversions.ReadAsync(resource, current, cancellationToken) : old;
            await AdmitAsync(resource, ns, name, shown, options, cancellationToken);
            if (await TryAsync(resource, current, old, deletion, options.DryRun, annotate, cancellationToken) is { } done)
            {
                return done;
            }
        }

        throw ApiException.StaleWrite(resource.Group, resource.Plural, name);
    }

    private async ValueTask AdmitAsync(
        ResourceInfo resource, string ns, string name, JsonObject old, WriteOptions options, CancellationToken cancellationToken)
    {
        var request = WriteRules.Admission(AdmissionOperation.Delete, resource, "", ns, name, null, old, options, store.Caches);
        await admission.AdmitAsync(request, cancellationToken);
        await admission.ValidateAsync(request, cancellationToken);
        request.Complete(!options.DryRun);
    }

    private async ValueTask<Deletion?> TryAsync(
        ResourceInfo resource,
        CachedObject current,
        JsonObject old,
        DeletionOptions deletion,
        bool dryRun,
        Action<JsonObject>? annotate,
        CancellationToken cancellationToken)
    {
        var obj = (JsonObject)old.DeepClone();
        annotate?.Invoke(obj);
        var strategy = strategies.For(resource);
        if (!Meta.IsDeleting(obj))
        {
            strategy.PrepareForDeletion(obj, store.Time.GetUtcNow());
        }

        var step = strategy is NamespaceStrategy
            ? NamespaceDeletion.Decide(obj, deletion, strategy, store.Time.GetUtcNow())
            : DeletionRules.Decide(obj, deletion, strategy, store.Time.GetUtcNow());
        switch (step)
        {
            case DeletionStep.Pending:
                return new Deletion(current, Removed: false);
            case DeletionStep.Remove:
                return await RemoveAsync(current, dryRun, cancellationToken);
        }

        var marked = JsonNode.DeepEquals(obj, old)
            ? current
            : await store.PutAsync(resource, obj, current.ModRevision, strategy.Ttl, dryRun, cancellationToken);
        if (marked is null)
        {
            return null;
        }

        if (step == DeletionStep.Mark)
        {
            return new Deletion(marked, Removed: false);
        }

        // From here on whoever removes it first has done what was asked for.
        return await RemoveAsync(marked, dryRun, cancellationToken) ?? await AfterRaceAsync(resource, marked, cancellationToken);
    }

    private async ValueTask<Deletion?> AfterRaceAsync(ResourceInfo resource, CachedObject marked, CancellationToken cancellationToken) =>
        await store.FreshAsync(resource, marked.Namespace, marked.Name, cancellationToken) is null ? new Deletion(marked, Removed: true) : null;

    private async ValueTask<Deletion?> RemoveAsync(CachedObject current, bool dryRun, CancellationToken cancellationToken) =>
        await store.DeleteAsync(current, dryRun, cancellationToken) is { } gone ? new Deletion(gone, Removed: true) : null;
}
