using System.Net.Http.Headers;
using System.Text.Json;

namespace Podhost.Runtime.Images.Registry;

/// <summary>Gets bearer tokens (distribution's token and oauth2 specifications).</summary>
internal sealed class TokenClient(HttpTransport transport)
{
    private const int MaxTokenResponse = 256 * 1024;

    /// <exception cref="ImageException">The realm is not acceptable, or gives no token.</exception>
    public async Task<AuthenticationHeaderValue> GetAsync(
        Challenge challenge,
        RegistryEndpoint endpoint,
        string repository,
        RegistryCredentials credentials,
        CancellationToken cancellationToken)
    {
        var realm = Realm(challenge, endpoint);
        var service = challenge.Parameters.GetValueOrDefault("service", "");
        var scope = challenge.Parameters.GetValueOrDefault("scope", $"repository:{repository}:pull");
        var response = credentials.IdentityToken.Length > 0
            ? await SendAsync(realm, () => Form(service, scope, credentials), null, cancellationToken)
            : await SendAsync(WithQuery(realm, service, scope, credentials), null, Basic(credentials), cancellationToken);
        return new AuthenticationHeaderValue("Bearer", Token(response));
    }

    private static AuthenticationHeaderValue? Basic(RegistryCredentials credentials) =>
        credentials.HasPassword ? new AuthenticationHeaderValue("Basic", credentials.BasicParameter()) : null;

    // The registry names the realm: over an encrypted connection it must not send us, with credentials, to a plain one.
    private static Uri Realm(Challenge challenge, RegistryEndpoint endpoint)
    {
        if (!Uri.TryCreate(challenge.Parameters.GetValueOrDefault("realm"), UriKind.Absolute, out var realm)
            || realm.UserInfo.Length > 0
            || (realm.Scheme != Uri.UriSchemeHttps && !(realm.Scheme == Uri.UriSchemeHttp && endpoint.IsPlain)))
        {
            throw new ImageException(ImageError.Denied, "failed to authorize: invalid token auth realm in the registry's challenge");
        }

        return realm;
    }

    private static Uri WithQuery(Uri realm, string service, string scope, RegistryCredentials credentials)
    {
        var query = realm.Query.TrimStart('?');
        var parts = new List<string>();
        if (query.Length > 0)
        {
            parts.Add(query);
        }

        if (service.Length > 0)
        {
            parts.Add("service=" + Uri.EscapeDataString(service));
        }

        // Several scopes are separated by spaces and sent one by one.
        parts.AddRange(scope.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(s => "scope=" + Uri.EscapeDataString(s)));
        if (credentials.HasPassword)
        {
            parts.Add("account=" + Uri.EscapeDataString(credentials.Username));
        }

        return new UriBuilder(realm) { Query = string.Join('&', parts) }.Uri;
    }

    private static FormUrlEncodedContent Form(string service, string scope, RegistryCredentials credentials) => new(
    [
        KeyValuePair.Create("grant_type", "refresh_token"),
        KeyValuePair.Create("service", service),
        KeyValuePair.Create("scope", scope),
        KeyValuePair.Create("client_id", "podhost"),
        KeyValuePair.Create("refresh_token", credentials.IdentityToken),
    ]);

    private static string Token(byte[] response)
    {
        try
        {
            using var json = JsonDocument.Parse(response);
            foreach (var name in (ReadOnlySpan<string>)["token", "access_token"])
            {
                if (json.RootElement.TryGetProperty(name, out var value) && value.GetString() is { Length: > 0 } token)
                {
                    return token;
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new ImageException(ImageError.Denied, "failed to authorize: invalid answer of the token server", e);
        }

        throw new ImageException(ImageError.Denied, "failed to authorize: authorization server did not include a token in the response");
    }

    private async Task<byte[]> SendAsync(
        Uri uri,
        Func<HttpContent>? form,
        AuthenticationHeaderValue? authorization,
        CancellationToken cancellationToken)
    {
        HttpRequestMessage Create(Uri target) => new(form is null ? HttpMethod.Get : HttpMethod.Post, target) { Content = form?.Invoke() };

        using var response = await transport.SendAsync(uri, Create, authorization, cancellationToken);
        if (response.IsSuccessStatusCode)
        {
            return await BoundedBody.ReadAsync(response.Content, MaxTokenResponse, transport.StallTimeout, transport.Time, cancellationToken);
        }

        var kind = authorization is null && form is null ? "anonymous token" : "oauth token";
        throw new ImageException(
            RetryPolicy.IsTransient(response.StatusCode) ? ImageError.Unavailable : ImageError.Denied,
            $"failed to authorize: failed to fetch {kind}: unexpected status from GET request to {uri.GetLeftPart(UriPartial.Path)}: "
            + RegistryErrors.Status(response));
    }
}
