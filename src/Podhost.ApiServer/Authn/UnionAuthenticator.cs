using Microsoft.AspNetCore.Http;

namespace Podhost.ApiServer.Authn;

/// <summary>Asks several authenticators in order; the first that knows the credentials decides.</summary>
public sealed class UnionAuthenticator(params IReadOnlyList<IAuthenticator> authenticators) : IAuthenticator
{
    /// <inheritdoc />
    public async ValueTask<UserInfo?> AuthenticateAsync(HttpContext context, CancellationToken cancellationToken)
    {
        foreach (var authenticator in authenticators)
        {
            if (await authenticator.AuthenticateAsync(context, cancellationToken) is { } user)
            {
                return user;
            }
        }

        return null;
    }
}
