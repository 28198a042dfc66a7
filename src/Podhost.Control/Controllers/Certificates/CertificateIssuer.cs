using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Podhost.Api.Certificates;

namespace Podhost.Control.Controllers.Certificates;

/// <summary>Signs with the cluster's authority.</summary>
internal sealed class CertificateIssuer(X509Certificate2 authority, TimeProvider time)
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(365);
    private static readonly TimeSpan Backdate = TimeSpan.FromMinutes(5);

    private static readonly Dictionary<string, X509KeyUsageFlags> KeyUsages = new(StringComparer.Ordinal)
    {
        ["digital signature"] = X509KeyUsageFlags.DigitalSignature,
        ["key encipherment"] = X509KeyUsageFlags.KeyEncipherment,
    };

    private static readonly Dictionary<string, string> ExtendedUsages = new(StringComparer.Ordinal)
    {
        ["server auth"] = "1.3.6.1.5.5.7.3.1",
        ["client auth"] = "1.3.6.1.5.5.7.3.2",
    };

    /// <summary>A certificate in PEM: subject, key and alternative names as asked for, all else as usages say.</summary>
    /// <param name="asked">The request.</param>
    /// <param name="usages">Its usages.</param>
    /// <param name="lifetime">How long it shall hold; null: a year, which is the longest.</param>
    public string Issue(SigningRequest asked, IReadOnlyCollection<string> usages, TimeSpan? lifetime)
    {
        var request = new CertificateRequest(asked.Request.SubjectName, asked.Request.PublicKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            usages.Aggregate(X509KeyUsageFlags.None, (all, u) => all | KeyUsages.GetValueOrDefault(u)), true));
        var extended = new OidCollection();
        foreach (var usage in usages)
        {
            if (ExtendedUsages.TryGetValue(usage, out var oid))
            {
                extended.Add(new Oid(oid));
            }
        }

        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(extended, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));
        if (asked.AlternativeNames is { } names)
        {
            request.CertificateExtensions.Add(names);
        }

        var now = time.GetUtcNow();
        var end = now + (lifetime is { } wanted && wanted < Longest ? wanted : Longest);
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] &= 0x7f;
        using var key = authority.GetECDsaPrivateKey() ?? throw new InvalidOperationException("the authority's key is not ECDSA");
        using var certificate = request.Create(
            authority.SubjectName, X509SignatureGenerator.CreateForECDsa(key), now - Backdate, end < authority.NotAfter ? end : authority.NotAfter, serial);
        return certificate.ExportCertificatePem() + "\n";
    }
}
