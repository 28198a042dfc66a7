namespace Podhost.ApiServer.ServiceAccounts;

/// <summary>What a service-account token says, in upstream's claims.</summary>
/// <param name="Namespace">Namespace of the service account.</param>
/// <param name="ServiceAccount">Its name and uid.</param>
/// <param name="Audiences">Whom the token is for.</param>
/// <param name="IssuedAt">Start of its life.</param>
/// <param name="ExpiresAt">End of its life.</param>
/// <param name="Id">The token's own id (jti).</param>
/// <param name="Pod">The pod that it is bound to, if any: it ends with the pod.</param>
/// <param name="Node">The node of that pod, or the node that the token itself is bound to, if any.</param>
/// <param name="Secret">The secret that it is bound to, if any.</param>
public sealed record TokenClaims(
    string Namespace,
    BoundObject ServiceAccount,
    IReadOnlyList<string> Audiences,
    DateTimeOffset IssuedAt,
    DateTimeOffset ExpiresAt,
    string Id,
    BoundObject? Pod = null,
    BoundObject? Node = null,
    BoundObject? Secret = null)
{
    /// <summary>The user name that the token stands for.</summary>
    public string UserName => NameOf(Namespace, ServiceAccount);

    internal static string NameOf(string ns, BoundObject account) => $"system:serviceaccount:{ns}:{account.Name}";
}

/// <summary>What the token of a Secret of type kubernetes.io/service-account-token says: it has no end.</summary>
/// <param name="Namespace">Namespace of the service account and of the Secret.</param>
/// <param name="ServiceAccount">Its name and uid.</param>
/// <param name="SecretName">The Secret that holds the token.</param>
public sealed record SecretTokenClaims(string Namespace, BoundObject ServiceAccount, string SecretName)
{
    /// <summary>The user name that the token stands for.</summary>
    public string UserName => TokenClaims.NameOf(Namespace, ServiceAccount);
}

/// <summary>An object by name and uid.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Uid">Its uid.</param>
public sealed record BoundObject(string Name, string Uid);
