using System.Text;
using k8s.Models;

namespace Podhost.Control.Controllers.ServiceAccountTokens;

/// <summary>What a Secret of type kubernetes.io/service-account-token must hold, and whose it is. Pure. Source: upstream's tokens controller.</summary>
public static class TokenSecretRules
{
    /// <summary>The type of such Secrets.</summary>
    public const string Type = "kubernetes.io/service-account-token";

    private const string AccountName = "kubernetes.io/service-account.name";
    private const string AccountUid = "kubernetes.io/service-account.uid";
    private const string RootCa = "ca.crt";
    private const string Namespace = "namespace";
    private const string Token = "token";

    /// <summary>The account that a token Secret is for: its name, empty for none, and its uid, empty where it is not known yet.</summary>
    public static (string Name, string Uid) AccountOf(V1Secret secret) => (Annotation(secret, AccountName), Annotation(secret, AccountUid));

    /// <summary>True where the Secret is for this account, by name, and by uid where it names one.</summary>
    public static bool IsFor(V1Secret secret, V1ServiceAccount account)
    {
        var (name, uid) = AccountOf(secret);
        return secret.Type == Type && name == account.Metadata.Name && (uid.Length == 0 || uid == account.Metadata.Uid);
    }

    /// <summary>True where something is missing or old.</summary>
    public static bool NeedsUpdate(V1Secret secret, string rootCa) => Value(secret, RootCa) != rootCa || Value(secret, Namespace).Length == 0 || Value(secret, Token).Length == 0;

    /// <summary>Writes into a Secret what it misses, and whose it is.</summary>
    /// <param name="secret">The Secret, which is changed.</param>
    /// <param name="account">Its account.</param>
    /// <param name="rootCa">PEM of the certificate authority.</param>
    /// <param name="sign">Makes the token.</param>
    public static void Complete(V1Secret secret, V1ServiceAccount account, string rootCa, Func<V1ServiceAccount, V1Secret, string> sign)
    {
        secret.Data ??= new Dictionary<string, byte[]>();
        secret.Data[RootCa] = Encoding.UTF8.GetBytes(rootCa);
        if (Value(secret, Namespace).Length == 0)
        {
            secret.Data[Namespace] = Encoding.UTF8.GetBytes(secret.Metadata.NamespaceProperty);
        }

        if (Value(secret, Token).Length == 0)
        {
            secret.Data[Token] = Encoding.UTF8.GetBytes(sign(account, secret));
        }

        secret.Metadata.Annotations ??= new Dictionary<string, string>();
        secret.Metadata.Annotations[AccountName] = account.Metadata.Name;
        secret.Metadata.Annotations[AccountUid] = account.Metadata.Uid;
    }

    private static string Annotation(V1Secret secret, string name) => secret.Metadata.Annotations?.TryGetValue(name, out var text) == true ? text : "";

    private static string Value(V1Secret secret, string key) => secret.Data?.TryGetValue(key, out var bytes) == true ? Encoding.UTF8.GetString(bytes) : "";
}
