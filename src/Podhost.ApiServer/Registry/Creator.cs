using System.Text.Json.Nodes;
using Podhost.Api.Defaulting;
using Podhost.Api.Errors;
using Podhost.Api.FieldManagement;
using Podhost.Api.Resources;
using Podhost.Api.Validation;
using Podhost.ApiServer.Admission;
using Podhost.ApiServer.Registry.Custom;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Registry;

/// <summary>Creates objects.</summary>
internal sealed class Creator(ObjectStore store, Strategies strategies, AdmissionChain admission, Conversions conversions, Random random)
{
    // As upstream: a random suffix that is taken eight times in a row is no accident.
    private const int GenerateNameTries = 8;

    /// <summary>Creates an object that was decoded already.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="ns">Namespace of the path.</param>
    /// <param name="obj">The object; changed in place.</param>
    /// <param name="options">Options of the write.</param>
    /// <param name="tracked">True where obj has its managedFields already (server-side apply).</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async ValueTask<CachedObject> CreateAsync(
        ResourceInfo resource, string ns, JsonObject obj, WriteOptions options, bool tracked, CancellationToken cancellationToken)
    {
        if (Meta.ResourceVersion(obj).Length > 0)
        {
            throw ApiException.Make(500, "", "resourceVersion should not be set on objects to be created");
        }

        obj["apiVersion"] = resource.ApiVersion;
        obj["kind"] = resource.Kind;
        WriteRules.EnsureNamespace(resource, obj, ns);
        ObjectDefaulter.Apply(resource, obj);
        WriteRules.FillSystemMetadata(resource, obj, store.Time.GetUtcNow());
        var request = WriteRules.Admission(
            AdmissionOperation.Create, resource, "", ns, Meta.Name(obj), obj, null, options, store.Caches);
        var committed = false;
        try
        {
            await admission.AdmitAsync(request, cancellationToken);
            var created = await PutAsync(resource, obj, request, options, tracked, cancellationToken);
            committed = !options.DryRun;
            return created;
        }
        finally
        {
            request.Complete(committed);
        }
    }

    private async ValueTask<CachedObject> PutAsync(
        ResourceInfo resource, JsonObject obj, AdmissionRequest request, WriteOptions options, bool tracked, CancellationToken cancellationToken)
    {
        var strategy = strategies.For(resource);
        var prefix = Meta.Name(obj).Length == 0 ? Meta.Get(obj, "generateName") : "";
        for (var attempt = 1; ; attempt++)
        {
            if (prefix.Length > 0)
            {
                Meta.Of(obj)["name"] = ObjectNames.Generate(prefix, random);
            }

            strategy.PrepareForCreate(obj);
            WriteRules.ThrowIfInvalid(resource, Meta.Name(obj), ObjectValidator.ValidateCreate(resource, obj));
            await admission.ValidateAsync(request, cancellationToken);
            var final = tracked ? obj : WriteRules.Track(resource, null, obj, "", options, store.Time.GetUtcNow());
            var stored = await conversions.ToStoredAsync(resource, final, cancellationToken);
            if (await TryPutAsync(resource, stored, strategy.Ttl, options.DryRun, cancellationToken) is { } created)
            {
                return created;
            }

            if (prefix.Length == 0 || attempt == GenerateNameTries)
            {
                throw AlreadyExists(resource, Meta.Name(obj), generated: prefix.Length > 0);
            }
        }
    }

    private async ValueTask<CachedObject?> TryPutAsync(
        ResourceInfo resource, JsonObject obj, TimeSpan? ttl, bool dryRun, CancellationToken cancellationToken)
    {
        if (dryRun && await store.FreshAsync(resource, Meta.Namespace(obj), Meta.Name(obj), cancellationToken) is not null)
        {
            return null;
        }

        return await store.PutAsync(resource, obj, 0, ttl, dryRun, cancellationToken);
    }

    private static ApiException AlreadyExists(ResourceInfo resource, string name, bool generated)
    {
        var error = ApiException.AlreadyExists(resource.Group, resource.Plural, name);
        if (!generated)
        {
            return error;
        }

        error.Status.Message += ", the server was not able to generate a unique name for the object";
        error.Status.Details.RetryAfterSeconds = 1;
        return new ApiException(error.Status);
    }
}
