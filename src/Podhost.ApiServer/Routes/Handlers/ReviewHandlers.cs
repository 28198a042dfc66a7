using System.Text.Json.Nodes;
using Podhost.Api.Defaulting;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.ApiServer.Admission;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Routes.Handlers;

/// <summary>POSTs that store nothing: reviews, and tokens of service accounts.</summary>
internal static class ReviewHandlers
{
    public static async ValueTask ReviewAsync(ApiServices services, RequestContext context)
    {
        var (info, resource) = (context.Info, context.Resource!);
        var handler = services.Reviews.FirstOrDefault(h => h.Handles(resource, info.Subresource))
            ?? throw ApiException.Make(404, "NotFound", "the server could not find the requested resource");
        var type = MediaTypes.Negotiate(context.Http.Request.Headers.Accept.ToString(), objectsOnly: true);
        var options = WriteParameters.Read(context, "CreateOptions");
        var body = await BodyReader.ReadObjectAsync(context.Http.Request, services.Options.MaxRequestBytes, context.Aborted);
        var review = Decode(context, resource, info, body);
        var parent = await ParentAsync(services, context);
        var request = WriteRules.Admission(
            AdmissionOperation.Create, resource, info.Subresource, info.Namespace, info.Name, review, null, options, services.Store.Caches);
        await services.Admission.AdmitAsync(request, context.Aborted);
        await services.Admission.ValidateAsync(request, context.Aborted);
        request.Complete(!options.DryRun);
        var answer = await handler.ReviewAsync(
            new ReviewRequest(resource, info.Subresource, info.Namespace, info.Name, parent, review, context.User), context.Aborted);
        await ResponseWriter.WriteJsonAsync(context, 201, ObjectCodec.ToUtf8(answer), type);
    }

    private static JsonObject Decode(RequestContext context, ResourceInfo resource, RequestInfo info, byte[] body)
    {
        if (info.Subresource.Length > 0)
        {
            // serviceaccounts/token
            return WriteParameters.Decode(
                context, "io.k8s.api.authentication.v1.TokenRequest", "authentication.k8s.io/v1", "TokenRequest", body);
        }

        var review = WriteParameters.Decode(context, resource, body);
        review["apiVersion"] = resource.ApiVersion;
        review["kind"] = resource.Kind;
        WriteRules.EnsureNamespace(resource, review, info.Namespace);
        ObjectDefaulter.Apply(resource, review);
        return review;
    }

    private static async ValueTask<JsonObject?> ParentAsync(ApiServices services, RequestContext context)
    {
        if (context.Info.Subresource.Length == 0)
        {
            return null;
        }

        var found = await services.Store.FreshAsync(
            context.Resource!, WriteHandlers.NamespaceOf(context), context.Info.Name, context.Aborted);
        return ObjectStore.Require(found, context.Resource!, context.Info.Name).ToObject();
    }
}
