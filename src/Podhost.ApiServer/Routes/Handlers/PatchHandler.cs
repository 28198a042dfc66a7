using System.Text.Json;
using System.Text.Json.Nodes;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.FieldManagement;
using Podhost.Api.Patching;
using Podhost.Api.Resources;
using Podhost.Api.Schema;
using Podhost.Api.Validation;
using Podhost.ApiServer.Registry;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Routes.Handlers;

/// <summary>patch, of all four kinds. A patch that names no resourceVersion is made again on a newer object where another write was faster.</summary>
internal static class PatchHandler
{
    private const string JsonType = "application/json-patch+json";
    private const string MergeType = "application/merge-patch+json";
    private const string StrategicType = "application/strategic-merge-patch+json";
    private const string ApplyType = "application/apply-patch+yaml";

    public static async ValueTask PatchAsync(ApiServices services, RequestContext context)
    {
        var type = ReadHandlers.Accept(context);
        var options = WriteParameters.Read(context, "PatchOptions");
        var patchType = BodyReader.MediaType(context.Http.Request);
        string[] known = context.Resource!.Custom is null ? [JsonType, MergeType, StrategicType, ApplyType] : [JsonType, MergeType, ApplyType];
        if (!known.Contains(patchType))
        {
            throw ApiException.UnsupportedMediaType(
                $"the body of the request was in an unknown format - accepted media types include: {string.Join(", ", known)}");
        }

        var body = await BodyReader.ReadAsync(context.Http.Request, services.Options.MaxRequestBytes, context.Aborted);
        if (patchType == ApplyType)
        {
            var (applied, created) = await ApplyAsync(services, context, BodyReader.FromYaml(body, context.DuplicateKeys), options);
            await WriteHandlers.RespondAsync(services, context, created ? 201 : 200, applied, type);
            return;
        }

        if (context.Query("force").Length > 0)
        {
            throw ApiException.Invalid("meta.k8s.io", "PatchOptions", "", [FieldError.Forbidden("force", "may not be specified for non-apply patch")]);
        }

        var change = ChangeOf(context, patchType, body);
        var patched = await UpdateAsync(services, context, change, options);
        await WriteHandlers.RespondAsync(services, context, 200, patched, type);
    }

    private static ValueTask<CachedObject> UpdateAsync(
        ApiServices services, RequestContext context, Func<JsonObject, Change> change, WriteOptions options) =>
        services.Updater.UpdateAsync(
            context.Resource!, WriteHandlers.NamespaceOf(context), context.Info.Name, context.Info.Subresource, change, options, context.Aborted);

    private static Func<JsonObject, Change> ChangeOf(RequestContext context, string patchType, byte[] body)
    {
        var resource = context.Resource!;
        var patch = Parse(body);
        Func<JsonObject, JsonNode?> apply = (patchType, patch) switch
        {
            (JsonType, JsonArray operations) => old => JsonPatch.Apply(old, operations),
            (JsonType, _) => throw ApiException.BadRequest("error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch"),
            (MergeType, JsonObject) => old => MergePatch.Apply(old, patch),
            (StrategicType, JsonObject obj) => old => StrategicMergePatch.Apply(resource.Schema, old, obj),
            _ => throw ApiException.BadRequest("error decoding patch: the body is no JSON object"),
        };
        var reported = false;
        return old =>
        {
            var patched = apply(old) as JsonObject ?? throw ApiException.BadRequest("the patched document is not a JSON object");
            var check = FieldValidation.Check(resource, patched);
            if (!reported)
            {
                reported = true;
                WriteParameters.Report(context, check.Problems, resource.Kind, resource.Version);
            }

            return new Change(check.Pruned);
        };
    }

    private static async ValueTask<(CachedObject Object, bool Created)> ApplyAsync(
        ApiServices services, RequestContext context, byte[] json, WriteOptions options)
    {
        var (info, resource) = (context.Info, context.Resource!);
        if (context.Query("fieldManager").Length == 0)
        {
            throw ApiException.Invalid("meta.k8s.io", "PatchOptions", "", [FieldError.Required("fieldManager", "is required for apply patch")]);
        }

        var force = context.Flag("force");
        var applied = WriteParameters.DecodeApplied(context, resource, json);
        var meta = Meta.Of(applied);
        if (Meta.Name(applied).Length == 0)
        {
            meta["name"] = info.Name;
        }

        WriteRules.EnsureName(applied, info.Name);
        WriteRules.EnsureNamespace(resource, applied, info.Namespace);
        applied["apiVersion"] = resource.ApiVersion;
        applied["kind"] = resource.Kind;
        var ns = WriteHandlers.NamespaceOf(context);
        if (info.Subresource.Length == 0 && await services.Store.FreshAsync(resource, ns, info.Name, context.Aborted) is null)
        {
            if (Meta.Uid(applied).Length > 0)
            {
                throw ApiException.Conflict(resource.Group, resource.Plural, info.Name, "uid mismatch: the provided object specified uid " +
                    $"{Meta.Uid(applied)}, and no existing object was found");
            }

            var fresh = FieldManager.Apply(resource, null, applied, options.FieldManager, force, services.Time.GetUtcNow());
            return (await services.Creator.CreateAsync(resource, ns, fresh, options, tracked: true, context.Aborted), true);
        }

        var subresource = info.Subresource.Length == 0 ? null : info.Subresource;
        var result = await UpdateAsync(services, context, old => new Change(
            FieldManager.Apply(resource, old, applied, options.FieldManager, force, services.Time.GetUtcNow(), subresource), Tracked: true), options);
        return (result, false);
    }

    /// <summary>A body of JSON.</summary>
    /// <exception cref="ApiException">400: it cannot be read.</exception>
    public static JsonNode? Parse(byte[] body)
    {
        try
        {
            return JsonText.Parse(body);
        }
        catch (JsonException e)
        {
            throw ApiException.BadRequest("error decoding patch: " + e.Message);
        }
    }
}
