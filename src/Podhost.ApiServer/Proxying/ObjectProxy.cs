using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Podhost.Api.Errors;
using Podhost.ApiServer.Streaming;
using Podhost.Streaming.Proxy;

namespace Podhost.ApiServer.Proxying;

/// <summary>
/// Sends a request on to a port of a pod, a service or a node and streams the answer back. The client's credentials go no further; what
/// certificate the other side shows is not looked at, as upstream's proxy.
/// </summary>
internal sealed class ObjectProxy : IDisposable
{
    private static readonly SslClientAuthenticationOptions Tls = new() { RemoteCertificateValidationCallback = (_, _, _, _) => true };

    // Of one connection (RFC 9110, 7.6.1), or meant for the API server alone.
    private static readonly HashSet<string> NotForwarded = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
        "Authorization", "Content-Length", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Uri",
    };

    private readonly UpgradeProxy _upgrades;
    private readonly HttpMessageInvoker _http = new(new SocketsHttpHandler
    {
        SslOptions = Tls,
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        ConnectTimeout = TimeSpan.FromSeconds(30),
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        MaxConnectionsPerServer = 100,
    });

    public ObjectProxy(TimeProvider time) => _upgrades = new UpgradeProxy(time);

    /// <summary>Answers the request with what the target says.</summary>
    /// <param name="context">The client's request.</param>
    /// <param name="target">Where to, with path and query.</param>
    /// <param name="prefix">The client's path up to <c>/proxy</c>: redirects lead through it.</param>
    /// <exception cref="ApiException">503: the target is not reached; thrown before anything was answered.</exception>
    public async Task RelayAsync(HttpContext context, Uri target, string prefix)
    {
        if (UpgradeProxy.IsUpgradeRequest(context.Request))
        {
            await _upgrades.ProxyAsync(context, target, Tls, null, context.RequestAborted);
            return;
        }

        using var request = Request(context, target);
        using var answer = await SendAsync(request, context.RequestAborted);
        context.Response.StatusCode = (int)answer.StatusCode;
        CopyHeaders(answer, context.Response, target, prefix);
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        await context.Response.StartAsync(context.RequestAborted);
        await using var body = await answer.Content.ReadAsStreamAsync(context.RequestAborted);
        await ResponseCopy.CopyAsync(body, context);
    }

    public void Dispose() => _http.Dispose();

    private static HttpRequestMessage Request(HttpContext context, Uri target)
    {
        var incoming = context.Request;
        var request = new HttpRequestMessage(new HttpMethod(incoming.Method), target);
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody ?? incoming.ContentLength > 0)
        {
            request.Content = new StreamContent(incoming.Body);
            request.Content.Headers.ContentLength = incoming.ContentLength;
        }

        var named = incoming.Headers.Connection.SelectMany(v => (v ?? "").Split(',', StringSplitOptions.TrimEntries)).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, values) in incoming.Headers)
        {
            if (!NotForwarded.Contains(name) && !named.Contains(name) && !name.StartsWith(':') && !name.StartsWith("Impersonate-", StringComparison.OrdinalIgnoreCase) &&
                !request.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values))
            {
                request.Content?.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
            }
        }

        if (context.Connection.RemoteIpAddress is { } client)
        {
            request.Headers.TryAddWithoutValidation("X-Forwarded-For", (client.IsIPv4MappedToIPv6 ? client.MapToIPv4() : client).ToString());
        }

        request.Headers.TryAddWithoutValidation("X-Forwarded-Uri", incoming.Path.ToUriComponent());
        request.Headers.TryAddWithoutValidation("X-Forwarded-Host", incoming.Host.ToUriComponent());
        request.Headers.TryAddWithoutValidation("X-Forwarded-Proto", incoming.Scheme);
        return request;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await _http.SendAsync(request, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested &&
            e is HttpRequestException or IOException or SocketException or AuthenticationException or OperationCanceledException)
        {
            throw ApiException.Unavailable($"error trying to reach service: {e.Message}");
        }
    }

    private static void CopyHeaders(HttpResponseMessage answer, HttpResponse response, Uri target, string prefix)
    {
        foreach (var (name, values) in answer.Headers.NonValidated.Concat(answer.Content.Headers.NonValidated))
        {
            if (!NotForwarded.Contains(name))
            {
                response.Headers[name] = values.ToArray();
            }
        }

        if (answer.Content.Headers.ContentLength is { } length)
        {
            response.ContentLength = length;
        }

        if (response.Headers.Location is [{ } location])
        {
            response.Headers.Location = ProxyPaths.RewriteLocation(location, target, prefix);
        }
    }
}
