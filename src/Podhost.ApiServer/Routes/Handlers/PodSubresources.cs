using System.Text.Json.Nodes;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.ApiServer.Admission;
using Podhost.ApiServer.Registry;
using Podhost.ApiServer.Registry.Pods;

namespace Podhost.ApiServer.Routes.Handlers;

/// <summary>POSTs to pods/binding and pods/eviction.</summary>
internal static class PodSubresources
{
    public static async ValueTask BindAsync(ApiServices services, RequestContext context)
    {
        var (info, pods) = (context.Info, context.Resource!);
        var options = WriteParameters.Read(context, "CreateOptions");
        var body = await BodyReader.ReadObjectAsync(context.Http.Request, services.Options.MaxRequestBytes, context.Aborted);
        var binding = WriteParameters.Decode(context, "io.k8s.api.core.v1.Binding", "v1", "Binding", body);
        Named(binding, info);
        PodBinder.Validate(binding);
        await AdmitAsync(services, pods, "binding", info, binding, options, context.Aborted);
        await services.Updater.UpdateAsync(
            pods, info.Namespace, info.Name, "binding",
            pod => new Change(PodBinder.Bind(pods, pod, binding, services.Time.GetUtcNow())), options, context.Aborted);
        await ResponseWriter.WriteJsonAsync(context, 201, Success(), ReadHandlers.Accept(context));
    }

    public static async ValueTask EvictAsync(ApiServices services, RequestContext context)
    {
        var (info, pods) = (context.Info, context.Resource!);
        var options = WriteParameters.Read(context, "CreateOptions");
        var body = await BodyReader.ReadObjectAsync(context.Http.Request, services.Options.MaxRequestBytes, context.Aborted);
        var eviction = WriteParameters.Decode(context, "io.k8s.api.policy.v1.Eviction", "policy/v1", "Eviction", body);
        Named(eviction, info);
        var deletion = DeletionOptions.From(eviction["deleteOptions"] as JsonObject);
        options = options with { DryRun = options.DryRun || deletion.DryRun };
        await AdmitAsync(services, pods, "eviction", info, eviction, options, context.Aborted);
        await Eviction.RunAsync(services, pods, info, deletion, options, context.Aborted);
        await ResponseWriter.WriteJsonAsync(context, 201, Success(), ReadHandlers.Accept(context));
    }

    /// <summary>A Status of success without details.</summary>
    public static byte[] Success() => ObjectCodec.ToUtf8(new JsonObject
    {
        ["kind"] = "Status",
        ["apiVersion"] = "v1",
        ["metadata"] = new JsonObject(),
        ["status"] = "Success",
        ["code"] = 201,
    });

    private static void Named(JsonObject body, RequestInfo info)
    {
        var meta = Meta.Of(body);
        if (Meta.Name(body).Length == 0)
        {
            meta["name"] = info.Name;
        }

        if (Meta.Name(body) != info.Name)
        {
            throw ApiException.BadRequest("name in URL does not match name in " + Meta.Text(body["kind"]) + " object");
        }

        if (Meta.Namespace(body) is { Length: > 0 } ns && ns != info.Namespace)
        {
            throw ApiException.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
        }

        meta["namespace"] = info.Namespace;
    }

    private static async ValueTask AdmitAsync(
        ApiServices services, ResourceInfo pods, string subresource, RequestInfo info, JsonObject body, WriteOptions options, CancellationToken cancellationToken)
    {
        var request = WriteRules.Admission(
            AdmissionOperation.Create, pods, subresource, info.Namespace, info.Name, body, null, options, services.Store.Caches);
        await services.Admission.AdmitAsync(request, cancellationToken);
        await services.Admission.ValidateAsync(request, cancellationToken);
        request.Complete(!options.DryRun);
    }
}
