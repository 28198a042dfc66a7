using Podhost.Api.Errors;

namespace Podhost.ApiServer.Proxying;

/// <summary>What a proxied request names: <c>NAME</c>, <c>NAME:PORT</c> or <c>SCHEME:NAME:PORT</c>.</summary>
/// <param name="Scheme">http, https, or empty where the request does not say.</param>
/// <param name="Name">Name of the object.</param>
/// <param name="Port">A number, a port's name, or empty.</param>
/// <remarks>Rules: k8s.io/apimachinery pkg/util/net/port_split.go.</remarks>
internal readonly record struct ProxyName(string Scheme, string Name, string Port)
{
    /// <param name="kind">pod, service or node, for the message.</param>
    /// <param name="text">The name as it stands in the path.</param>
    /// <exception cref="ApiException">400: it is none of the three forms.</exception>
    public static ProxyName Parse(string kind, string text)
    {
        var parts = text.Split(':');
        return parts switch
        {
            [{ Length: > 0 } name] => new ProxyName("", name, ""),
            [{ Length: > 0 } name, var port] => new ProxyName("", name, port),
            ["" or "http" or "https", { Length: > 0 } name, var port] => new ProxyName(parts[0], name, port),
            _ => throw ApiException.BadRequest($"invalid {kind} request \"{text}\""),
        };
    }

    /// <summary>The scheme to ask with: plain http unless https is asked for.</summary>
    public string SchemeOrHttp => Scheme.Length > 0 ? Scheme : "http";
}
