using System.Text.Json.Nodes;
using Podhost.Api.CustomResources;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Patching;
using Podhost.Api.Resources;
using Podhost.Api.Schema;
using Podhost.Api.Selectors;
using Podhost.Api.Validation;
using Podhost.ApiServer.Registry;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Routes.Handlers;

/// <summary>The scale subresource: how many pods are wanted and are there, and nothing else of the object.</summary>
internal static class ScaleHandlers
{
    private const string SchemaName = "io.k8s.api.autoscaling.v1.Scale";

    public static async ValueTask GetAsync(ApiServices services, RequestContext context)
    {
        var (info, resource) = (context.Info, context.Resource!);
        var type = ReadHandlers.Accept(context);
        var found = ObjectStore.Require(await services.Store.FreshAsync(resource, info.Namespace, info.Name, context.Aborted), resource, info.Name);
        await RespondAsync(services, context, found, type);
    }

    public static async ValueTask UpdateAsync(ApiServices services, RequestContext context)
    {
        var options = WriteParameters.Read(context, "UpdateOptions");
        var body = await BodyReader.ReadObjectAsync(context.Http.Request, services.Options.MaxRequestBytes, context.Aborted);
        var scale = Check(PatchHandler.Parse(body) as JsonObject ?? throw ApiException.BadRequest("the body of the request is no Scale"));
        await ChangeAsync(services, context, _ => scale, options);
    }

    public static async ValueTask PatchAsync(ApiServices services, RequestContext context)
    {
        var options = WriteParameters.Read(context, "PatchOptions");
        var body = await BodyReader.ReadAsync(context.Http.Request, services.Options.MaxRequestBytes, context.Aborted);
        Func<JsonObject, JsonNode?> patch = (BodyReader.MediaType(context.Http.Request), PatchHandler.Parse(body)) switch
        {
            ("application/json-patch+json", JsonArray operations) => old => JsonPatch.Apply(old, operations),
            ("application/merge-patch+json", JsonObject merge) => old => MergePatch.Apply(old, merge),
            ("application/strategic-merge-patch+json", JsonObject merge) => old => StrategicMergePatch.Apply(SchemaCatalog.Get(SchemaName), old, merge),
            _ => throw ApiException.UnsupportedMediaType("the patch of a scale is a JSON patch, a merge patch or a strategic merge patch"),
        };
        await ChangeAsync(services, context, old => Check(patch(old) as JsonObject ?? throw ApiException.BadRequest("the patched document is not a JSON object")), options);
    }

    private static async ValueTask ChangeAsync(ApiServices services, RequestContext context, Func<JsonObject, JsonObject> change, WriteOptions options)
    {
        var type = ReadHandlers.Accept(context);
        var updated = await services.Updater.UpdateAsync(
            context.Resource!, context.Info.Namespace, context.Info.Name, "scale", old => new Change(Scaled(context.Resource!, old, change(ToScale(context.Resource!, old)))), options, context.Aborted);
        await RespondAsync(services, context, updated, type);
    }

    private static async ValueTask RespondAsync(ApiServices services, RequestContext context, CachedObject obj, AcceptedType type)
    {
        var shown = await services.Conversions.ReadAsync(context.Resource!, obj, context.Aborted);
        await ResponseWriter.WriteJsonAsync(context, 200, ObjectCodec.ToUtf8((JsonNode)ToScale(context.Resource!, shown)), type);
    }

    private static JsonObject Check(JsonObject scale)
    {
        var pruned = FieldValidation.Check(SchemaCatalog.Get(SchemaName), scale).Pruned;
        if (Replicas(pruned, "spec") < 0)
        {
            throw ApiException.Invalid("autoscaling", "Scale", Meta.Name(pruned), [FieldError.Invalid("spec.replicas", $"{Replicas(pruned, "spec")}", "must be greater than or equal to 0")]);
        }

        return pruned;
    }

    private static JsonObject Scaled(ResourceInfo resource, JsonObject old, JsonObject scale)
    {
        var obj = (JsonObject)old.DeepClone();
        if (resource.Custom?.Scale is { } paths)
        {
            paths.SpecReplicas.Set(obj, Replicas(scale, "spec"));
        }
        else
        {
            Meta.Child(obj, "spec")["replicas"] = Replicas(scale, "spec");
        }

        // Without a version the change is unconditional.
        Meta.Of(obj)["resourceVersion"] = Meta.ResourceVersion(scale);
        return obj;
    }

    private static JsonObject ToScale(ResourceInfo resource, JsonObject obj)
    {
        var metadata = new JsonObject();
        foreach (var name in (ReadOnlySpan<string>)["name", "namespace", "uid", "resourceVersion", "creationTimestamp"])
        {
            metadata[name] = Meta.Get(obj, name);
        }

        return new JsonObject
        {
            ["kind"] = "Scale",
            ["apiVersion"] = "autoscaling/v1",
            ["metadata"] = metadata,
            ["spec"] = new JsonObject { ["replicas"] = resource.Custom?.Scale is { } paths ? Wanted(paths, obj) : Replicas(obj, "spec") },
            ["status"] = StatusOf(resource.Custom?.Scale, obj),
        };
    }

    private static JsonObject StatusOf(ScalePaths? paths, JsonObject obj) => paths is null
        ? new() { ["replicas"] = Replicas(obj, "status"), ["selector"] = Meta.SelectorOf(obj).ToString() }
        : new() { ["replicas"] = Number(paths.StatusReplicas.Get(obj)), ["selector"] = Meta.Text(paths.LabelSelector?.Get(obj)) };

    private static long Wanted(ScalePaths paths, JsonObject obj) => paths.SpecReplicas.Get(obj) is { } replicas
        ? Number(replicas)
        : throw ApiException.Internal($"the spec replicas field \"{paths.SpecReplicas.Text}\" does not exist");

    private static long Replicas(JsonObject obj, string part) => Number(Meta.At(obj, part, "replicas"));

    private static long Number(JsonNode? node) => node is JsonValue v && v.TryGetValue<long>(out var n) ? n : 0;
}
