using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Podhost.Kubelet.Server.Http;

/// <summary>Users by client certificate.</summary>
internal sealed class ClientCertificates(IReadOnlyList<X509Certificate2> authorities, TimeProvider time)
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private const string CommonName = "2.5.4.3";
    private const string Organization = "2.5.4.10";

    /// <summary>The user of a certificate, or null where no authority vouches for it.</summary>
    public KubeletUser? Authenticate(X509Certificate2 certificate)
    {
        if (authorities.Count == 0)
        {
            return null;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities.ToArray());
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = time.GetUtcNow().UtcDateTime;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
        return chain.Build(certificate) ? UserOf(certificate.SubjectName) : null;
    }

    internal static KubeletUser? UserOf(X500DistinguishedName subject)
    {
        string? name = null;
        var groups = new List<string>();
        foreach (var part in subject.EnumerateRelativeDistinguishedNames())
        {
            if (part.HasMultipleElements)
            {
                continue;
            }

            var type = part.GetSingleElementType().Value;
            if (type == CommonName)
            {
                name = part.GetSingleElementValue();
            }
            else if (type == Organization && part.GetSingleElementValue() is { Length: > 0 } group)
            {
                groups.Add(group);
            }
        }

        return string.IsNullOrEmpty(name) ? null : new KubeletUser(name, [.. groups, "system:authenticated"]);
    }
}
