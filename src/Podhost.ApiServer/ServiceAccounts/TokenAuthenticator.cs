using k8s.Models;
using Microsoft.AspNetCore.Http;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.ApiServer.Authn;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.ServiceAccounts;

/// <summary>Bearer tokens of service accounts: valid while the account, and the pod, secret or node that it is bound to, exist with the same uid.</summary>
public sealed class TokenAuthenticator : IAuthenticator
{
    private const string Scheme = "Bearer ";
    private static readonly ResourceInfo Accounts = ResourceTable.For<V1ServiceAccount>();
    private static readonly ResourceInfo Pods = ResourceTable.For<V1Pod>();
    private static readonly ResourceInfo Secrets = ResourceTable.For<V1Secret>();

    private readonly TokenCodec _codec;
    private readonly IReadOnlyList<string> _audiences;
    private readonly IObjectReader _objects;
    private readonly TimeProvider _time;

    /// <summary>An authenticator of tokens that a codec signed.</summary>
    /// <param name="codec">Verifies.</param>
    /// <param name="audiences">Audiences of the API server; a token must be for one of them.</param>
    /// <param name="objects">Looks the bound objects up.</param>
    /// <param name="time">The clock.</param>
    public TokenAuthenticator(TokenCodec codec, IReadOnlyList<string> audiences, IObjectReader objects, TimeProvider time)
    {
        _codec = codec;
        _audiences = audiences;
        _objects = objects;
        _time = time;
    }

    /// <inheritdoc />
    public ValueTask<UserInfo?> AuthenticateAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var header = context.Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return ValueTask.FromResult<UserInfo?>(null);
        }

        var result = Review(header[Scheme.Length..].Trim(), _audiences);
        return result is null ? throw ApiException.Unauthorized() : ValueTask.FromResult<UserInfo?>(result.Value.User);
    }

    /// <summary>The user of a token and the audiences of those asked for that it is valid for; null where it is not valid for any.</summary>
    public (UserInfo User, IReadOnlyList<string> Audiences)? Review(string token, IReadOnlyList<string> audiences)
    {
        if (_codec.Verify(token, _time.GetUtcNow()) is not { } claims)
        {
            return null;
        }

        var common = claims.Audiences.Intersect(audiences.Count > 0 ? audiences : _audiences).ToList();
        return common.Count > 0 && IsBoundToTheLiving(claims) ? (UserOf(claims), common) : null;
    }

    private bool IsBoundToTheLiving(TokenClaims claims) =>
        Lives(Accounts, claims.Namespace, claims.ServiceAccount)
        && (claims.Pod is null || Lives(Pods, claims.Namespace, claims.Pod))
        && (claims.Secret is null || Lives(Secrets, claims.Namespace, claims.Secret));

    private bool Lives(ResourceInfo resource, string ns, BoundObject bound) =>
        _objects.Get(resource, ns, bound.Name) is { } found && found.Selectable.Get("metadata.uid") == bound.Uid;

    private static UserInfo UserOf(TokenClaims claims)
    {
        var extra = new Dictionary<string, IReadOnlyList<string>>
        {
            ["authentication.kubernetes.io/credential-id"] = [$"JTI={claims.Id}"],
        };
        Add(extra, "authentication.kubernetes.io/node", claims.Node);
        Add(extra, "authentication.kubernetes.io/pod", claims.Pod);
        return new UserInfo(
            claims.UserName,
            ["system:serviceaccounts", $"system:serviceaccounts:{claims.Namespace}", UserInfo.Authenticated])
        {
            Uid = claims.ServiceAccount.Uid,
            Extra = extra,
        };
    }

    private static void Add(Dictionary<string, IReadOnlyList<string>> extra, string prefix, BoundObject? bound)
    {
        if (bound is not null)
        {
            extra[prefix + "-name"] = [bound.Name];
            extra[prefix + "-uid"] = [bound.Uid];
        }
    }
}
