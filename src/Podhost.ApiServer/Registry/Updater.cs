using System.Globalization;
using System.Text.Json.Nodes;
using Podhost.Api.Defaulting;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.Api.Validation;
using Podhost.ApiServer.Admission;
using Podhost.ApiServer.Registry.Custom;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Registry;

/// <summary>Makes the new object of a write from the one that is stored. May be called again with a newer one.</summary>
/// <param name="Object">The new object.</param>
/// <param name="Tracked">True where it has its managedFields already (server-side apply).</param>
internal readonly record struct Change(JsonObject Object, bool Tracked = false);

/// <summary>Changes objects: reads, changes, writes where nobody was faster, else again.</summary>
internal sealed class Updater(ObjectStore store, Strategies strategies, AdmissionChain admission, Conversions conversions)
{
    // A write that loses that often meets a writer that never pauses; the client shall know.
    private const int MaxTries = 32;

    /// <summary>Updates an object or a subresource of it.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="ns">Namespace of the path.</param>
    /// <param name="name">Name of the path.</param>
    /// <param name="subresource">Subresource, empty where none.</param>
    /// <param name="change">Makes the new object from the stored one (which it must not change).</param>
    /// <param name="options">Options of the write.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async ValueTask<CachedObject> UpdateAsync(
        ResourceInfo resource,
        string ns,
        string name,
        string subresource,
        Func<JsonObject, Change> change,
        WriteOptions options,
        CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= MaxTries; attempt++)
        {
            var current = ObjectStore.Require(await store.FreshAsync(resource, ns, name, cancellationToken), resource, name);
            if (await TryAsync(resource, ns, name, subresource, current, change, options, cancellationToken) is { } updated)
            {
                return updated;
            }
        }

        throw ApiException.StaleWrite(resource.Group, resource.Plural, name);
    }

    private async ValueTask<CachedObject?> TryAsync(
        ResourceInfo resource,
        string ns,
        string name,
        string subresource,
        CachedObject current,
        Func<JsonObject, Change> change,
        WriteOptions options,
        CancellationToken cancellationToken)
    {
        var old = await conversions.ReadAsync(resource, current, cancellationToken);
        var (obj, tracked) = change(old);
        CheckVersion(resource, name, obj, old, current);
        obj["apiVersion"] = resource.ApiVersion;
        obj["kind"] = resource.Kind;
        WriteRules.EnsureName(obj, name);
        WriteRules.EnsureNamespace(resource, obj, ns);
        WriteRules.KeepSystemMetadata(obj, old);
        ObjectDefaulter.Apply(resource, obj);
        var request = WriteRules.Admission(
            AdmissionOperation.Update, resource, subresource, ns, name, obj, old, options, store.Caches);
        var committed = false;
        try
        {
            await admission.AdmitAsync(request, cancellationToken);
            var final = await PrepareAsync(resource, name, subresource, obj, old, tracked, request, options, cancellationToken);
            var result = await PutAsync(resource, final, old, current, options, cancellationToken);
            committed = result is not null && !options.DryRun;
            return result;
        }
        finally
        {
            request.Complete(committed);
        }
    }

    private async ValueTask<JsonObject> PrepareAsync(
        ResourceInfo resource,
        string name,
        string subresource,
        JsonObject obj,
        JsonObject old,
        bool tracked,
        AdmissionRequest request,
        WriteOptions options,
        CancellationToken cancellationToken)
    {
        var strategy = strategies.For(resource);
        strategy.PrepareForUpdate(obj, old, subresource);
        if (strategy.RaisesGeneration(obj, old, subresource))
        {
            Meta.Of(obj)["generation"] = Meta.Generation(old) + 1;
        }

        WriteRules.ThrowIfInvalid(resource, name, ObjectValidator.ValidateUpdate(resource, obj, old, subresource.Length == 0 ? null : subresource));
        await admission.ValidateAsync(request, cancellationToken);
        return tracked ? obj : WriteRules.Track(resource, old, obj, subresource, options, store.Time.GetUtcNow());
    }

    private async ValueTask<CachedObject?> PutAsync(
        ResourceInfo resource, JsonObject obj, JsonObject old, CachedObject current, WriteOptions options, CancellationToken cancellationToken)
    {
        Meta.Of(obj)["resourceVersion"] = current.ModRevision.ToString(CultureInfo.InvariantCulture);
        var strategy = strategies.For(resource);
        if (strategy.CanGo(obj, old))
        {
            return await FinishDeletionAsync(resource, obj, current, options, cancellationToken);
        }

        // A write that changes nothing is none: the version stays and no watcher wakes.
        if (JsonNode.DeepEquals(obj, old))
        {
            return current;
        }

        return await store.PutAsync(resource, await conversions.ToStoredAsync(resource, obj, cancellationToken), current.ModRevision, strategy.Ttl, options.DryRun, cancellationToken);
    }

    // The update took the last finalizer away: the object goes, and the answer is what the update made of it.
    private async ValueTask<CachedObject?> FinishDeletionAsync(
        ResourceInfo resource, JsonObject obj, CachedObject current, WriteOptions options, CancellationToken cancellationToken)
    {
        if (await store.DeleteAsync(current, options.DryRun, cancellationToken) is not { } gone)
        {
            return null;
        }

        var last = StoredForm.Encode(await conversions.ToStoredAsync(resource, obj, cancellationToken));
        return new CachedObject(gone.Key, ExternalForm.WithRevision(last, gone.ModRevision), gone.ModRevision);
    }

    private void CheckVersion(ResourceInfo resource, string name, JsonObject obj, JsonObject old, CachedObject current)
    {
        var version = Meta.ResourceVersion(obj);
        if (version.Length == 0 || version == "0")
        {
            if (!strategies.For(resource).AllowsUnconditionalUpdate)
            {
                WriteRules.ThrowIfInvalid(resource, name,
                    [Api.Validation.FieldError.Invalid("metadata.resourceVersion", "0", "must be specified for an update")]);
            }
        }
        else if (version != current.ModRevision.ToString(CultureInfo.InvariantCulture))
        {
            throw ApiException.StaleWrite(resource.Group, resource.Plural, name);
        }

        var uid = Meta.Uid(obj);
        if (uid.Length > 0 && uid != Meta.Uid(old))
        {
            throw ApiException.Conflict(resource.Group, resource.Plural, name,
                $"Precondition failed: UID in precondition: {uid}, UID in object meta: {Meta.Uid(old)}");
        }
    }
}
