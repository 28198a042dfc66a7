using k8s.Models;
using Microsoft.AspNetCore.Http;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.ApiServer.Proxying;
using Podhost.ApiServer.Registry;
using Podhost.ApiServer.Streaming;

namespace Podhost.ApiServer.Routes.Handlers;

/// <summary>pods/proxy, services/proxy and nodes/proxy: a request to a port of the object, through the API server.</summary>
internal static class ProxyHandler
{
    private static readonly ResourceInfo Endpoints = ResourceTable.For<V1Endpoints>();

    public static async ValueTask ProxyAsync(ApiServices services, RequestContext context)
    {
        var (info, resource) = (context.Info, context.Resource!);
        var asked = ProxyName.Parse(resource.Singular, info.Name);
        var ns = WriteHandlers.NamespaceOf(context);
        var found = await services.Store.FreshAsync(resource, ns, asked.Name, context.Aborted);
        var obj = ObjectStore.Require(found, resource, asked.Name).ToObject();
        await ConnectHandlers.AdmitAsync(services, context, obj);
        context.WriteWarnings();

        var http = context.Http;
        var (prefix, rest) = ProxyPaths.Split(context);
        var kubelet = resource.Plural == "nodes" ? KubeletEndpoint.Of(ObjectCodec.ToModel<V1Node>(obj)) : null;
        var target = kubelet is not null ? ProxyTargetRules.OfNode(kubelet, asked) : TargetOf(services, ns, asked, resource, obj);
        if (rest.Length == 0 && HttpMethods.IsGet(http.Request.Method))
        {
            // Relative links of the answer must stay below the proxy.
            http.Response.StatusCode = StatusCodes.Status301MovedPermanently;
            http.Response.Headers.Location = prefix + "/" + http.Request.QueryString;
            return;
        }

        var path = (rest.Length == 0 ? "/" : rest) + http.Request.QueryString;
        if (target is null)
        {
            var connector = services.Connector ?? throw ApiException.Unavailable("proxy is not available: this server has no way to reach kubelets");
            await connector.ConnectAsync(new ConnectRequest("proxy", obj, obj, path.TrimStart('/'), context.User), http);
            return;
        }

        await services.Proxy.RelayAsync(http, new Uri(target.GetLeftPart(UriPartial.Authority) + path), prefix);
    }

    private static Uri TargetOf(ApiServices services, string ns, ProxyName asked, ResourceInfo resource, System.Text.Json.Nodes.JsonObject obj)
    {
        if (resource.Plural == "pods")
        {
            return ProxyTargetRules.OfPod(ObjectCodec.ToModel<V1Pod>(obj), asked);
        }

        var endpoints = services.Store.Caches.Get(Endpoints, ns, asked.Name)?.ToObject();
        return ProxyTargetRules.OfService(
            ObjectCodec.ToModel<V1Service>(obj), endpoints is null ? null : ObjectCodec.ToModel<V1Endpoints>(endpoints), asked, services.Random.Next);
    }
}
