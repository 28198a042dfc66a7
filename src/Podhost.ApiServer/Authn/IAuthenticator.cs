using Microsoft.AspNetCore.Http;

namespace Podhost.ApiServer.Authn;

/// <summary>Finds out who makes a request.</summary>
public interface IAuthenticator
{
    /// <summary>The user of a request, or null where the request carries no credentials that this authenticator knows.</summary>
    /// <exception cref="Podhost.Api.Errors.ApiException">401: credentials were given and are not valid.</exception>
    ValueTask<UserInfo?> AuthenticateAsync(HttpContext context, CancellationToken cancellationToken);
}
