using Podhost.ApiServer.Registry;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Routes.Handlers;

/// <summary>get and list.</summary>
internal static class ReadHandlers
{
    public static async ValueTask GetAsync(ApiServices services, RequestContext context)
    {
        var (info, resource) = (context.Info, context.Resource!);
        var type = Accept(context);
        var found = await FindAsync(services, context);
        var presenter = Presenter(services, context, type);
        var obj = ObjectStore.Require(found, resource, info.Name);
        await services.Conversions.PrepareAsync(resource, [obj], context.Aborted);
        await ResponseWriter.WriteJsonAsync(context, 200, presenter.One(obj), type);
    }

    public static async ValueTask ListAsync(ApiServices services, RequestContext context)
    {
        var type = Accept(context);
        var query = ListQuery.Parse(context.Query, watch: false);
        var page = await services.Lister.ListAsync(context.Resource!, context.Info.Namespace, query, context.Aborted);
        await services.Conversions.PrepareAsync(context.Resource!, page.Items, context.Aborted);
        var pieces = Presenter(services, context, type).Many(page);
        await ResponseWriter.WriteJsonAsync(context, 200, pieces, pieces.Sum(p => (long)p.Length), type);
    }

    /// <summary>What the Accept header of a request came to.</summary>
    public static AcceptedType Accept(RequestContext context) => MediaTypes.Negotiate(context.Http.Request.Headers.Accept.ToString());

    /// <summary>The presenter of a request's resource.</summary>
    public static ObjectPresenter Presenter(ApiServices services, RequestContext context, AcceptedType type) =>
        ObjectPresenter.For(context.Resource!, type, context.Query("includeObject"), services.Time);

    // resourceVersion=0 allows whatever the cache holds; everything else is read as new as it is in the store.
    private static ValueTask<CachedObject?> FindAsync(ApiServices services, RequestContext context)
    {
        var (info, resource) = (context.Info, context.Resource!);
        return context.Query("resourceVersion") == "0"
            ? ValueTask.FromResult(services.Store.Caches.Get(resource, info.Namespace, info.Name))
            : services.Store.FreshAsync(resource, resource.Namespaced ? info.Namespace : "", info.Name, context.Aborted);
    }
}
