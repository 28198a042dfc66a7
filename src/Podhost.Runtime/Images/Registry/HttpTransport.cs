using System.Net;
using System.Net.Http.Headers;

namespace Podhost.Runtime.Images.Registry;

/// <summary>
/// Sends single requests: the answer's head must come within the stall time, a few redirects are followed, and credentials go only
/// to the origin that they were meant for.
/// </summary>
internal sealed class HttpTransport(RegistryOptions options, TimeProvider time) : IDisposable
{
    private const int MaxRedirects = 5;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (string Stamp, HttpMessageInvoker Invoker)> _certified = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<HttpMessageInvoker> _replaced = [];
    private readonly HttpMessageInvoker _direct = new(Handler(useProxy: false));
    private readonly HttpMessageInvoker _proxied = new(Handler(useProxy: true));

    public TimeSpan StallTimeout => options.StallTimeout;

    public TimeProvider Time => time;

    /// <exception cref="HttpRequestException">No connection, or a redirect that is refused.</exception>
    /// <exception cref="IOException">No answer in time.</exception>
    public async Task<HttpResponseMessage> SendAsync(
        Uri uri,
        Func<Uri, HttpRequestMessage> create,
        AuthenticationHeaderValue? authorization,
        CancellationToken cancellationToken)
    {
        var target = uri;
        for (var hop = 0; ; hop++)
        {
            using var request = create(target);
            request.Headers.UserAgent.ParseAdd("podhost");
            if (SameOrigin(uri, target))
            {
                request.Headers.Authorization = authorization;
            }

            var response = await SendOnceAsync(request, cancellationToken);
            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308) || response.Headers.Location is not { } location)
            {
                return response;
            }

            response.Dispose();
            target = Follow(target, location, hop);
        }
    }

    public void Dispose()
    {
        _direct.Dispose();
        _proxied.Dispose();
        lock (_lock)
        {
            _replaced.ForEach(invoker => invoker.Dispose());
            foreach (var (_, invoker) in _certified.Values)
            {
                invoker.Dispose();
            }
        }
    }

    private static SocketsHttpHandler Handler(bool useProxy) => new()
    {
        UseProxy = useProxy,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = TimeSpan.FromSeconds(30),
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        MaxResponseHeadersLength = 64,
    };

    private static bool SameOrigin(Uri a, Uri b) => a.Scheme == b.Scheme && a.Host == b.Host && a.Port == b.Port;

    private static Uri Follow(Uri from, Uri location, int hop)
    {
        var target = new Uri(from, location);
        if (hop == MaxRedirects)
        {
            throw new HttpRequestException($"more than {MaxRedirects} redirects");
        }

        if (target.Scheme != Uri.UriSchemeHttps && (target.Scheme != Uri.UriSchemeHttp || from.Scheme == Uri.UriSchemeHttps))
        {
            throw new HttpRequestException($"redirect from {from.Scheme} to {target.Scheme} refused");
        }

        return target;
    }

    private HttpMessageInvoker InvokerOf(Uri uri)
    {
        if (!options.Certificates.TryGetValue(uri.Authority, out var directory))
        {
            return uri.IsLoopback ? _direct : _proxied;
        }

        var certificates = new RegistryCertificates(directory);
        var stamp = certificates.Stamp;
        lock (_lock)
        {
            if (_certified.TryGetValue(uri.Authority, out var known) && known.Stamp == stamp)
            {
                return known.Invoker;
            }

            var handler = Handler(useProxy: !uri.IsLoopback);
            handler.SslOptions = certificates.Read();
            if (known.Invoker is not null)
            {
                // Pulls may still use it.
                _replaced.Add(known.Invoker);
            }

            _certified[uri.Authority] = (stamp, new HttpMessageInvoker(handler));
            return _certified[uri.Authority].Invoker;
        }
    }

    private async Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(options.StallTimeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            return await InvokerOf(request.RequestUri!).SendAsync(request, linked.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"no response for {options.StallTimeout.TotalSeconds:0} s", e);
        }
    }
}
