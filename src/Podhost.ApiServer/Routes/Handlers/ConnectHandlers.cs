using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.ApiServer.Admission;
using Podhost.ApiServer.Registry;
using Podhost.ApiServer.Streaming;

namespace Podhost.ApiServer.Routes.Handlers;

/// <summary>Subresources of a pod that its kubelet answers: log, exec, attach, portforward.</summary>
internal static class ConnectHandlers
{
    private static readonly ResourceInfo Nodes = ResourceTable.For<V1Node>();

    public static async ValueTask ConnectAsync(ApiServices services, RequestContext context)
    {
        var (info, resource) = (context.Info, context.Resource!);
        var connector = services.Connector
            ?? throw ApiException.Unavailable($"{info.Subresource} is not available: this server has no way to reach kubelets");
        var found = await services.Store.FreshAsync(resource, WriteHandlers.NamespaceOf(context), info.Name, context.Aborted);
        var obj = ObjectStore.Require(found, resource, info.Name).ToObject();
        if (info.Subresource == "log")
        {
            LogParameters.Check(info.Name, context.Http.Request.Query);
        }
        else
        {
            await AdmitAsync(services, context, obj);
        }

        var nodeName = Meta.Text(Meta.At(obj, "spec", "nodeName"));
        var node = nodeName.Length == 0 ? null : services.Store.Caches.Get(Nodes, null, nodeName)?.ToObject();
        context.WriteWarnings();
        await connector.ConnectAsync(new ConnectRequest(info.Subresource, obj, node, info.SubPath, context.User), context.Http);
    }

    /// <summary>Admission of a connection: the query is the object, the connected object the old one.</summary>
    public static async ValueTask AdmitAsync(ApiServices services, RequestContext context, JsonObject obj)
    {
        var options = new WriteOptions(context.User, "", DryRun: false, context.Warnings);
        var query = new JsonObject();
        foreach (var (name, values) in context.Http.Request.Query)
        {
            query[name] = values.Count == 1 ? values[0] : new JsonArray([.. values.Select(v => (JsonNode?)v)]);
        }

        var request = WriteRules.Admission(
            AdmissionOperation.Connect, context.Resource!, context.Info.Subresource, context.Info.Namespace, context.Info.Name,
            query, obj, options, services.Store.Caches);
        await services.Admission.AdmitAsync(request, context.Aborted);
        await services.Admission.ValidateAsync(request, context.Aborted);
        request.Complete(true);
    }
}
