using System.Security.Cryptography;
using System.Text;
using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.ApiServer.Authn;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.ServiceAccounts;

/// <summary>
/// Bearer tokens of service accounts: valid while the account, and the pod, secret or node that it is bound to, exist with the same uid. Those of Secrets of
/// type kubernetes.io/service-account-token never end: they are valid while the Secret holds them.
/// </summary>
public sealed class ServiceAccountTokens : ITokenReviewer
{
    private const string InvalidSince = "kubernetes.io/legacy-token-invalid-since";
    private static readonly ResourceInfo Accounts = ResourceTable.For<V1ServiceAccount>();
    private static readonly ResourceInfo Pods = ResourceTable.For<V1Pod>();
    private static readonly ResourceInfo Nodes = ResourceTable.For<V1Node>();
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
    public ServiceAccountTokens(TokenCodec codec, IReadOnlyList<string> audiences, IObjectReader objects, TimeProvider time)
    {
        _codec = codec;
        _audiences = audiences;
        _objects = objects;
        _time = time;
    }

    /// <inheritdoc />
    public TokenReview? Review(string token, IReadOnlyList<string> audiences)
    {
        if (_codec.Verify(token, _time.GetUtcNow()) is not { } claims)
        {
            return _codec.VerifySecretToken(token) is { } secret && IsTheSecrets(secret, token) ? TokenReview.ForServer(UserOf(secret), audiences, _audiences) : null;
        }

        var common = claims.Audiences.Intersect(audiences.Count > 0 ? audiences : _audiences).ToList();
        return common.Count > 0 && IsBoundToTheLiving(claims) ? new TokenReview(UserOf(claims), common) : null;
    }

    private bool IsBoundToTheLiving(TokenClaims claims) =>
        Lives(Accounts, claims.Namespace, claims.ServiceAccount)
        && (claims.Pod is null || Lives(Pods, claims.Namespace, claims.Pod))
        && (claims.Node is null || claims.Pod is not null || Lives(Nodes, null, claims.Node))
        && (claims.Secret is null || Lives(Secrets, claims.Namespace, claims.Secret));

    private bool IsTheSecrets(SecretTokenClaims claims, string token)
    {
        if (!Lives(Accounts, claims.Namespace, claims.ServiceAccount) || _objects.Get(Secrets, claims.Namespace, claims.SecretName) is not { } found)
        {
            return false;
        }

        var secret = ObjectCodec.ToModel<V1Secret>(found.Utf8.Span);
        return secret.Metadata.DeletionTimestamp is null
            && secret.Metadata.Labels?.ContainsKey(InvalidSince) != true
            && secret.Data?.TryGetValue("token", out var held) == true
            && CryptographicOperations.FixedTimeEquals(held, Encoding.UTF8.GetBytes(token));
    }

    private bool Lives(ResourceInfo resource, string? ns, BoundObject bound) =>
        _objects.Get(resource, ns, bound.Name) is { } found && found.Selectable.Get("metadata.uid") == bound.Uid;

    private static UserInfo UserOf(SecretTokenClaims claims) => new(claims.UserName, GroupsOf(claims.Namespace)) { Uid = claims.ServiceAccount.Uid };

    private static UserInfo UserOf(TokenClaims claims)
    {
        var extra = new Dictionary<string, IReadOnlyList<string>>
        {
            ["authentication.kubernetes.io/credential-id"] = [$"JTI={claims.Id}"],
        };
        Add(extra, "authentication.kubernetes.io/node", claims.Node);
        Add(extra, "authentication.kubernetes.io/pod", claims.Pod);
        return new UserInfo(claims.UserName, GroupsOf(claims.Namespace)) { Uid = claims.ServiceAccount.Uid, Extra = extra };
    }

    private static IReadOnlyList<string> GroupsOf(string ns) => ["system:serviceaccounts", $"system:serviceaccounts:{ns}", UserInfo.Authenticated];

    private static void Add(Dictionary<string, IReadOnlyList<string>> extra, string prefix, BoundObject? bound)
    {
        if (bound is not null)
        {
            extra[prefix + "-name"] = [bound.Name];
            extra[prefix + "-uid"] = [bound.Uid];
        }
    }
}
