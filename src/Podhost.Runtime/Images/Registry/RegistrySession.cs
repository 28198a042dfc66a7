using System.Net;
using System.Net.Http.Headers;

namespace Podhost.Runtime.Images.Registry;

/// <summary>
/// The requests of one pull to one endpoint. What authorizes them lives and ends here, so that one Pod's credentials never serve
/// another Pod's pull.
/// </summary>
internal sealed class RegistrySession(
    RegistryEndpoint endpoint,
    ImageReference reference,
    RegistryCredentials credentials,
    HttpTransport transport,
    TokenClient tokens,
    RetryPolicy retry) : IDisposable
{
    private readonly SemaphoreSlim _authorizing = new(1, 1);
    private volatile AuthenticationHeaderValue? _authorization =
        credentials.RegistryToken.Length > 0 ? new AuthenticationHeaderValue("Bearer", credentials.RegistryToken) : null;

    public RegistryEndpoint Endpoint => endpoint;

    public TimeSpan StallTimeout => transport.StallTimeout;

    public TimeProvider Time => transport.Time;

    public RetryPolicy Retry => retry;

    /// <summary>Reads a manifest or index and checks it against the digest where the identifier is one.</summary>
    /// <exception cref="ImageException">It cannot be had, or is not what the digest names.</exception>
    public async Task<ManifestDocument> GetManifestAsync(string identifier, CancellationToken cancellationToken)
    {
        var uri = RepositoryUri("manifests/" + identifier);
        using var response = await SendAsync(uri, request =>
        {
            foreach (var type in MediaTypes.Manifests)
            {
                request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(type));
            }
        }, reference.Canonical, cancellationToken);
        var bytes = await ReadBodyAsync(response, ManifestDocument.MaxBytes, uri, cancellationToken);
        var manifest = ManifestDocument.Parse(bytes, response.Content.Headers.ContentType?.MediaType);
        return !Digest.IsValid(identifier) || manifest.Digest == identifier ? manifest : throw new ImageException(
            ImageError.Invalid, $"unexpected digest {manifest.Digest} of a manifest, expected {identifier}");
    }

    /// <summary>Asks for a blob from an offset on. The caller disposes the response and looks whether it is partial.</summary>
    public Task<HttpResponseMessage> OpenBlobAsync(Descriptor blob, long offset, CancellationToken cancellationToken) =>
        SendAsync(
            RepositoryUri("blobs/" + blob.Digest),
            request =>
            {
                if (offset > 0)
                {
                    request.Headers.Range = new RangeHeaderValue(offset, null);
                }
            },
            blob.Digest,
            cancellationToken);

    public void Dispose() => _authorizing.Dispose();

    private Uri RepositoryUri(string rest) => new(endpoint.Base, $"v2/{reference.Path}/{rest}");

    private async Task<byte[]> ReadBodyAsync(HttpResponseMessage response, int limit, Uri uri, CancellationToken cancellationToken)
    {
        try
        {
            return await BoundedBody.ReadAsync(response.Content, limit, StallTimeout, Time, cancellationToken);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw Unreachable(uri, e);
        }
    }

    private static ImageException Unreachable(Uri uri, Exception e) =>
        new(ImageError.Unavailable, $"failed to do request: Get \"{uri.GetLeftPart(UriPartial.Path)}\": {e.Message}", e);

    private async Task<HttpResponseMessage> SendAsync(
        Uri uri,
        Action<HttpRequestMessage> prepare,
        string what,
        CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            TimeSpan? retryAfter;
            try
            {
                var response = await SendAuthorizedAsync(uri, prepare, cancellationToken);
                if (response.IsSuccessStatusCode)
                {
                    return response;
                }

                using (response)
                {
                    if (attempt >= retry.MaxAttempts || !RetryPolicy.IsTransient(response.StatusCode))
                    {
                        throw RegistryErrors.From(response, uri, what, await ErrorBodyAsync(response, cancellationToken));
                    }

                    retryAfter = response.Headers.RetryAfter?.Delta;
                }
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                if (attempt >= retry.MaxAttempts || !MayRecover(e))
                {
                    throw Unreachable(uri, e);
                }

                retryAfter = null;
            }

            await retry.PauseAsync(attempt, retryAfter, cancellationToken);
        }
    }

    // A wrong certificate or an unknown host stays so; the kubelet's own back-off tries again later.
    private static bool MayRecover(Exception e) =>
        e is not HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError or HttpRequestError.NameResolutionError };

    private async Task<HttpResponseMessage> SendAuthorizedAsync(
        Uri uri,
        Action<HttpRequestMessage> prepare,
        CancellationToken cancellationToken)
    {
        HttpRequestMessage Create(Uri target)
        {
            var request = new HttpRequestMessage(HttpMethod.Get, target);
            prepare(request);
            return request;
        }

        var used = _authorization;
        var response = await transport.SendAsync(uri, Create, used, cancellationToken);
        if (response.StatusCode != HttpStatusCode.Unauthorized)
        {
            return response;
        }

        if (!await AuthorizeAsync(response, used, cancellationToken))
        {
            return response;
        }

        response.Dispose();
        return await transport.SendAsync(uri, Create, _authorization, cancellationToken);
    }

    // Several downloads may find a token expired at once: one asks for the next.
    private async Task<bool> AuthorizeAsync(HttpResponseMessage refused, AuthenticationHeaderValue? used, CancellationToken cancellationToken)
    {
        await _authorizing.WaitAsync(cancellationToken);
        try
        {
            if (!ReferenceEquals(_authorization, used))
            {
                return true;
            }

            if (Challenge.Find(refused.Headers.WwwAuthenticate, "Bearer") is { } bearer && credentials.RegistryToken.Length == 0)
            {
                _authorization = await tokens.GetAsync(bearer, endpoint, reference.Path, credentials, cancellationToken);
                return true;
            }

            if (Challenge.Find(refused.Headers.WwwAuthenticate, "Basic") is not null && credentials.HasPassword && used is null)
            {
                _authorization = new AuthenticationHeaderValue("Basic", credentials.BasicParameter());
                return true;
            }

            return false;
        }
        finally
        {
            _authorizing.Release();
        }
    }

    private async Task<byte[]> ErrorBodyAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            return await BoundedBody.ReadAsync(response.Content, 64 * 1024, StallTimeout, Time, cancellationToken);
        }
        catch (Exception e) when (e is ImageException or IOException or HttpRequestException)
        {
            // The status says what matters; the body only adds the server's words.
            return [];
        }
    }
}
