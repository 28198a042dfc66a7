using Microsoft.AspNetCore.Http;
using Podhost.Api.Errors;

namespace Podhost.ApiServer.Authn;

/// <summary>Bearer tokens of several kinds: the first kind that knows a token decides, a token that nobody knows is refused.</summary>
public sealed class BearerTokens(params IReadOnlyList<ITokenReviewer> reviewers) : IAuthenticator, ITokenReviewer
{
    private const string Scheme = "Bearer ";

    /// <inheritdoc />
    public ValueTask<UserInfo?> AuthenticateAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var header = context.Request.Headers.Authorization.ToString();
        return ValueTask.FromResult(header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? Review(header[Scheme.Length..].Trim(), [])?.User ?? throw ApiException.Unauthorized()
            : null);
    }

    /// <inheritdoc />
    public TokenReview? Review(string token, IReadOnlyList<string> audiences) =>
        token.Length == 0 ? null : reviewers.Select(r => r.Review(token, audiences)).FirstOrDefault(r => r is not null);
}
