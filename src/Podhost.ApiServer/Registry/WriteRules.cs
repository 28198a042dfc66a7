using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Podhost.Api.Errors;
using Podhost.Api.FieldManagement;
using Podhost.Api.Resources;
using Podhost.Api.Validation;
using Podhost.ApiServer.Admission;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Registry;

/// <summary>The rules that every write obeys, whatever its kind.</summary>
internal static class WriteRules
{
    /// <summary>Sets or checks the namespace of a new object against the path's.</summary>
    /// <exception cref="ApiException">400: they differ.</exception>
    public static void EnsureNamespace(ResourceInfo resource, JsonObject obj, string ns)
    {
        var meta = Meta.Of(obj);
        var own = Meta.Namespace(obj);
        if (!resource.Namespaced)
        {
            if (own.Length > 0)
            {
                throw ApiException.BadRequest("namespace may not be set on a cluster-scoped object");
            }

            meta.Remove("namespace");
            return;
        }

        if (own.Length > 0 && own != ns)
        {
            throw ApiException.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
        }

        meta["namespace"] = ns;
    }

    /// <summary>Checks the name of an object against the path's.</summary>
    /// <exception cref="ApiException">400: they differ.</exception>
    public static void EnsureName(JsonObject obj, string name)
    {
        if (Meta.Name(obj) != name)
        {
            throw ApiException.BadRequest(
                $"the name of the object ({Meta.Name(obj)}) does not match the name on the URL ({name})");
        }
    }

    /// <summary>The system's own metadata of a new object.</summary>
    public static void FillSystemMetadata(ResourceInfo resource, JsonObject obj, DateTimeOffset now)
    {
        var meta = Meta.Of(obj);
        meta["uid"] = Guid.NewGuid().ToString("D", CultureInfo.InvariantCulture);
        meta["creationTimestamp"] = Meta.Time(now);
        meta.Remove("deletionTimestamp");
        meta.Remove("deletionGracePeriodSeconds");
        meta.Remove("selfLink");
        meta.Remove("resourceVersion");
        if (resource.HasGeneration)
        {
            meta["generation"] = 1;
        }
        else
        {
            meta.Remove("generation");
        }
    }

    /// <summary>The system's own metadata of a changed object: kept from the old one, whatever was sent.</summary>
    public static void KeepSystemMetadata(JsonObject obj, JsonObject old)
    {
        var (meta, oldMeta) = (Meta.Of(obj), Meta.Of(old));
        meta.Remove("selfLink");
        foreach (var field in (ReadOnlySpan<string>)["generation", "generateName"])
        {
            Meta.CopyField(oldMeta, meta, field);
        }

        // Left out means unchanged; set to something else is the validator's to refuse.
        foreach (var field in (ReadOnlySpan<string>)["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "namespace"])
        {
            if (meta[field] is null)
            {
                Meta.CopyField(oldMeta, meta, field);
            }
        }
    }

    /// <summary>Checks what a write expects to find.</summary>
    /// <exception cref="ApiException">409: it is another object or another version.</exception>
    public static void Check(ResourceInfo resource, string name, CachedObject current, JsonObject currentObject, Preconditions wanted)
    {
        var uid = Meta.Uid(currentObject);
        if (wanted.Uid is not null && wanted.Uid != uid)
        {
            throw ApiException.Conflict(resource.Group, resource.Plural, name,
                $"Precondition failed: UID in precondition: {wanted.Uid}, UID in object meta: {uid}");
        }

        var version = current.ModRevision.ToString(CultureInfo.InvariantCulture);
        if (wanted.ResourceVersion is not null && wanted.ResourceVersion != version)
        {
            throw ApiException.Conflict(resource.Group, resource.Plural, name,
                $"Precondition failed: ResourceVersion in precondition: {wanted.ResourceVersion}, ResourceVersion in object meta: {version}");
        }
    }

    /// <summary>Throws 422 where there are faults.</summary>
    public static void ThrowIfInvalid(ResourceInfo resource, string name, IReadOnlyList<FieldError> errors)
    {
        if (errors.Count > 0)
        {
            throw ApiException.Invalid(resource.Group, resource.Kind, name, errors);
        }
    }

    /// <summary>Records who owns which field; the bookkeeping of an object without any goes along unchanged.</summary>
    /// <remarks>
    /// Fields that cannot be tracked (items of a list that share or lack their key) leave the object without bookkeeping, as upstream's
    /// UpdateNoErrors does: it is validation that refuses them, with the field's name, or a list that has always been accepted so.
    /// </remarks>
    public static JsonObject Track(ResourceInfo resource, JsonObject? live, JsonObject updated, string subresource, WriteOptions options, DateTimeOffset now)
    {
        try
        {
            return FieldManager.Update(resource, live, updated, options.FieldManager, subresource.Length == 0 ? null : subresource, now);
        }
        catch (ApiException e) when (e.Code == HttpStatusCode.BadRequest)
        {
            var untracked = (JsonObject)updated.DeepClone();
            (untracked["metadata"] as JsonObject)?.Remove("managedFields");
            return untracked;
        }
    }

    /// <summary>The admission request of a write.</summary>
    public static AdmissionRequest Admission(
        AdmissionOperation operation,
        ResourceInfo resource,
        string subresource,
        string ns,
        string name,
        JsonObject? obj,
        JsonObject? old,
        WriteOptions options,
        IObjectReader objects) => new()
        {
            Operation = operation,
            Resource = resource,
            Subresource = subresource,
            Namespace = ns,
            Name = name,
            Object = obj,
            OldObject = old,
            Options = options.Options,
            User = options.User,
            DryRun = options.DryRun,
            Warnings = options.Warnings,
            Objects = objects,
        };
}
