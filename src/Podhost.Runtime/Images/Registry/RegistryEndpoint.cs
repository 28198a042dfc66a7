using System.Net;

namespace Podhost.Runtime.Images.Registry;

/// <summary>A place that may serve a repository: a mirror or the registry itself.</summary>
internal sealed record RegistryEndpoint(Uri Base, bool IsUpstream)
{
    public bool IsPlain => Base.Scheme == Uri.UriSchemeHttp;

    /// <summary>The mirrors of a domain in order, then the registry.</summary>
    public static IReadOnlyList<RegistryEndpoint> For(string domain, RegistryOptions options)
    {
        var endpoints = new List<RegistryEndpoint>();
        if (options.Mirrors.TryGetValue(domain, out var mirrors))
        {
            endpoints.AddRange(mirrors.Select(mirror => new RegistryEndpoint(new Uri(mirror.TrimEnd('/') + "/"), IsUpstream: false)));
        }

        endpoints.Add(new RegistryEndpoint(Upstream(domain, options), IsUpstream: true));
        return endpoints;
    }

    private static Uri Upstream(string domain, RegistryOptions options)
    {
        if (domain == "docker.io")
        {
            return new Uri("https://registry-1.docker.io/");
        }

        var https = new Uri($"https://{domain}/");
        var isPlain = options.InsecureRegistries.Contains(domain) || (IsLoopback(https) && !domain.EndsWith(":443", StringComparison.Ordinal) && !options.Certificates.ContainsKey(domain));
        return isPlain ? new Uri($"http://{domain}/") : https;
    }

    private static bool IsLoopback(Uri uri) =>
        uri.DnsSafeHost == "localhost" || (IPAddress.TryParse(uri.DnsSafeHost, out var address) && IPAddress.IsLoopback(address));
}
