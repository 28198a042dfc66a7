using Microsoft.AspNetCore.Http;

namespace Podhost.ApiServer.Authn;

/// <summary>Gives every request one fixed identity, whatever it carries; for tests and for servers that nobody else can reach.</summary>
/// <param name="user">The identity, or null: every request stays without one.</param>
public sealed class StaticAuthenticator(UserInfo? user) : IAuthenticator
{
    /// <inheritdoc />
    public ValueTask<UserInfo?> AuthenticateAsync(HttpContext context, CancellationToken cancellationToken) => ValueTask.FromResult(user);
}
