using Microsoft.AspNetCore.Http.Features;
using Podhost.ApiServer.Routes;

namespace Podhost.ApiServer.Proxying;

/// <summary>The two halves of a proxied path: what the API server reads, and what the other side shall see.</summary>
internal static class ProxyPaths
{
    /// <summary>Splits the path of a proxy request, escapes and doubled slashes kept as they were sent.</summary>
    /// <returns>What ends with <c>/proxy</c>, and what follows: empty, or with a leading slash.</returns>
    public static (string Prefix, string Remainder) Split(RequestContext context)
    {
        var raw = context.Http.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "";
        var path = raw.StartsWith('/') ? raw.Split('?', 2)[0] : context.Info.Path;

        // /api/v1/nodes/NAME/proxy or /api/v1/namespaces/NS/RESOURCE/NAME/proxy
        var segments = context.Info.Namespace.Length > 0 ? 7 : 5;
        var at = 0;
        for (var i = 0; i < segments; i++)
        {
            while (at < path.Length && path[at] == '/')
            {
                at++;
            }

            var next = path.IndexOf('/', at);
            at = next < 0 ? path.Length : next;
        }

        return (path[..at], path[at..]);
    }

    /// <summary>Where a redirect of the other side leads, as the client must follow it: through the proxy, where it stays on the same server.</summary>
    /// <param name="location">The answer's Location.</param>
    /// <param name="target">What was asked.</param>
    /// <param name="prefix">The client's path up to <c>/proxy</c>.</param>
    /// <returns>Unchanged for another server's address.</returns>
    public static string RewriteLocation(string location, Uri target, string prefix)
    {
        if (!Uri.TryCreate(target, location, out var absolute) || absolute.Scheme is not ("http" or "https"))
        {
            return location;
        }

        var same = absolute.Host == target.Host && absolute.Port == target.Port;
        return same ? prefix + absolute.PathAndQuery + absolute.Fragment : location;
    }
}
