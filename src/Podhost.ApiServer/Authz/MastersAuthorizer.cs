using Podhost.ApiServer.Authn;

namespace Podhost.ApiServer.Authz;

/// <summary>Allows everything to the group <c>system:masters</c> and has no opinion on anybody else: the default where no policy is configured.</summary>
public sealed class MastersAuthorizer : IAuthorizer
{
    /// <inheritdoc />
    public ValueTask<AuthorizationDecision> AuthorizeAsync(AuthorizationAttributes attributes, CancellationToken cancellationToken) =>
        ValueTask.FromResult(attributes.User.IsIn(UserInfo.Masters) ? AuthorizationDecision.Allow() : AuthorizationDecision.NoOpinion());
}
