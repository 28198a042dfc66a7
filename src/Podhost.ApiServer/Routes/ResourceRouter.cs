using Podhost.Api.CustomResources;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.ApiServer.Metrics;
using Podhost.ApiServer.Routes.Handlers;

namespace Podhost.ApiServer.Routes;

/// <summary>From a verb on a resource to its handler, driven by the resource table.</summary>
internal static class ResourceRouter
{
    /// <summary>True for requests that last as long as the client wants: they have no deadline and hold no place.</summary>
    public static bool IsLongRunning(RequestInfo info) =>
        info.Verb == "watch" || info.Subresource is "exec" or "attach" or "portforward" or "log" or "proxy";

    /// <summary>Handles a request.</summary>
    public static ValueTask HandleAsync(ApiServices services, RequestContext context)
    {
        if (context.Info.Group == MetricsGroup.Group)
        {
            return MetricsApi.HandleAsync(services, context);
        }

        var (info, resource) = (context.Info, context.Resource ?? throw NotServed());
        if (resource.Namespaced && info.Namespace.Length == 0 && (info.Name.Length > 0 || info.Verb is not ("list" or "watch")))
        {
            throw info.Name.Length > 0 ? NotServed() : NotAllowed();
        }

        // A cluster-scoped kind below a namespace is no path of the API.
        if (!resource.Namespaced && info.Namespace.Length > 0 && info.Resource != "namespaces")
        {
            throw NotServed();
        }

        if (resource.Custom is { } custom)
        {
            CheckCustom(context, custom);
        }

        return info.Subresource.Length == 0 ? Resource(services, context, resource) : Subresource(services, context, resource);
    }

    private static void CheckCustom(RequestContext context, CustomKind custom)
    {
        if (custom.DeprecationWarning is { } warning)
        {
            context.Warnings.Add(warning);
        }

        if (custom.IsTerminating && context.Info.Verb == "create")
        {
            throw ApiException.MethodNotAllowed($"{context.Info.Verb} not allowed while custom resource definition is terminating");
        }
    }

    private static ValueTask Resource(ApiServices services, RequestContext context, ResourceInfo resource)
    {
        var info = context.Info;
        if (!resource.Verbs.Contains(info.Verb, StringComparer.Ordinal) || (info.Verb == "create" && info.Name.Length > 0) ||
            (info.Verb is "update" or "patch" && info.Name.Length == 0))
        {
            throw NotAllowed();
        }

        if (resource.IsVirtual)
        {
            return ReviewHandlers.ReviewAsync(services, context);
        }

        return info.Verb switch
        {
            "get" => ReadHandlers.GetAsync(services, context),
            "list" => ReadHandlers.ListAsync(services, context),
            "watch" => WatchHandler.WatchAsync(services, context),
            "create" => WriteHandlers.CreateAsync(services, context),
            "update" => WriteHandlers.UpdateAsync(services, context),
            "patch" => PatchHandler.PatchAsync(services, context),
            "delete" => DeleteHandlers.DeleteAsync(services, context),
            "deletecollection" => DeleteHandlers.DeleteCollectionAsync(services, context),
            _ => throw NotAllowed(),
        };
    }

    private static ValueTask Subresource(ApiServices services, RequestContext context, ResourceInfo resource)
    {
        var info = context.Info;
        var subresource = resource.Subresources.FirstOrDefault(s => s.Name == info.Subresource) ?? throw NotServed();
        if (info.Name.Length == 0 || (info.SubPath.Length > 0 && info.Subresource != "proxy"))
        {
            throw NotServed();
        }

        if (info.Subresource == "proxy")
        {
            return ProxyHandler.ProxyAsync(services, context);
        }

        if (info.Subresource is "exec" or "attach" or "portforward" or "log")
        {
            return ConnectHandlers.ConnectAsync(services, context);
        }

        if (!subresource.Verbs.Contains(info.Verb, StringComparer.Ordinal))
        {
            throw NotAllowed();
        }

        return (info.Verb, info.Subresource) switch
        {
            ("get", "scale") => ScaleHandlers.GetAsync(services, context),
            ("update", "scale") => ScaleHandlers.UpdateAsync(services, context),
            ("patch", "scale") => ScaleHandlers.PatchAsync(services, context),
            ("get", _) => ReadHandlers.GetAsync(services, context),
            ("update", _) => WriteHandlers.UpdateAsync(services, context),
            ("patch", _) => PatchHandler.PatchAsync(services, context),
            ("create", "binding") => PodSubresources.BindAsync(services, context),
            ("create", "eviction") => PodSubresources.EvictAsync(services, context),
            ("create", _) => ReviewHandlers.ReviewAsync(services, context),
            _ => throw NotAllowed(),
        };
    }

    private static ApiException NotServed() => ApiException.Make(404, "NotFound", "the server could not find the requested resource");

    private static ApiException NotAllowed() =>
        ApiException.MethodNotAllowed("the server does not allow this method on the requested resource");
}
