using Podhost.Api.Errors;
using Podhost.ApiServer.Discovery;

namespace Podhost.ApiServer.Routes;

/// <summary>Paths that are no resources: discovery, OpenAPI, version, the issuer of tokens, health and metrics. All are GETs.</summary>
internal sealed class PlainRoutes(DiscoveryHandler discovery, OpenApiHandler openApi, HealthHandler health, MetricsHandler metrics, IssuerHandler? issuer)
{
    public ValueTask HandleAsync(RequestContext context)
    {
        if (context.Http.Request.Method is not ("GET" or "HEAD"))
        {
            throw ApiException.MethodNotAllowed("the server does not allow this method on the requested resource");
        }

        var path = context.Info.Path.TrimEnd('/');
        return path switch
        {
            "" => discovery.RootAsync(context),
            "/api" => discovery.LegacyRootAsync(context),
            "/apis" => discovery.GroupsAsync(context),
            "/version" => VersionHandler.HandleAsync(context),
            "/metrics" => metrics.HandleAsync(context),
            _ when path.StartsWith("/api/", StringComparison.Ordinal) || path.StartsWith("/apis/", StringComparison.Ordinal) =>
                discovery.GroupOrVersionAsync(context, path),
            _ when path.StartsWith("/openapi/", StringComparison.Ordinal) => openApi.HandleAsync(context, path),
            IssuerHandler.ConfigurationPath when issuer is not null => issuer.ConfigurationAsync(context),
            IssuerHandler.KeysPath when issuer is not null => issuer.KeysAsync(context),
            _ when HealthHandler.Owns(path) => health.HandleAsync(context, path),
            _ => throw NotFound(),
        };
    }

    /// <summary>404 of a path that nothing serves.</summary>
    public static ApiException NotFound() => ApiException.Make(404, "NotFound", "the server could not find the requested resource");
}
