using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Podhost.ApiServer.Pki;

/// <summary>Certificate and key pairs as PEM files of one directory, in kubeadm's names: <c>NAME.crt</c> (0644) and <c>NAME.key</c> (0600).</summary>
internal sealed class CertificateStore(string directory, TimeProvider time)
{
    private static readonly TimeSpan CaLifetime = TimeSpan.FromDays(3650);
    private static readonly TimeSpan LeafLifetime = TimeSpan.FromDays(365);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(60);
    private static readonly TimeSpan Backdate = TimeSpan.FromMinutes(5);

    private const string ServerAuth = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuth = "1.3.6.1.5.5.7.3.2";

    /// <summary>The certificate authority of a name; made where it is absent.</summary>
    public X509Certificate2 Authority(string name, string commonName)
    {
        if (Read(name) is { } existing)
        {
            return existing;
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={commonName}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign | X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var now = time.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now - Backdate, now + CaLifetime);
        return Write(name, certificate, key);
    }

    /// <summary>A server certificate; made anew where it is absent, near its end, of another authority, or lacks a name.</summary>
    public X509Certificate2 Server(string name, X509Certificate2 authority, string commonName, IReadOnlyList<string> dnsNames, IReadOnlyList<IPAddress> addresses)
    {
        var existing = Read(name);
        if (existing is not null && IsUsable(existing, authority) && Covers(existing, dnsNames, addresses))
        {
            return existing;
        }

        var names = new SubjectAlternativeNameBuilder();
        foreach (var dns in dnsNames)
        {
            names.AddDnsName(dns);
        }

        foreach (var address in addresses)
        {
            names.AddIpAddress(address);
        }

        return Issue(name, authority, $"CN={commonName}", [ServerAuth], names.Build());
    }

    /// <summary>A client certificate: common name is the user, organizations are its groups.</summary>
    public X509Certificate2 Client(string name, X509Certificate2 authority, string user, params string[] groups)
    {
        var existing = Read(name);
        if (existing is not null && IsUsable(existing, authority))
        {
            return existing;
        }

        var subject = string.Join(", ", groups.Select(g => $"O=\"{g}\"").Append($"CN=\"{user}\""));
        return Issue(name, authority, subject, [ClientAuth], null);
    }

    /// <summary>An ECDSA P-256 signing key in a file of its own, with its public half beside it.</summary>
    public ECDsa SigningKey(string name)
    {
        var path = Path.Combine(directory, name + ".key");
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        if (File.Exists(path))
        {
            key.ImportFromPem(File.ReadAllText(path));
            return key;
        }

        PrivateFile.Write(path, key.ExportPkcs8PrivateKeyPem() + "\n", PrivateFile.OwnerOnly);
        PrivateFile.Write(Path.Combine(directory, name + ".pub"), key.ExportSubjectPublicKeyInfoPem() + "\n", PrivateFile.WorldReadable);
        return key;
    }

    private X509Certificate2 Issue(string name, X509Certificate2 authority, string subject, string[] usages, X509Extension? names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        var oids = new OidCollection();
        foreach (var usage in usages)
        {
            oids.Add(new Oid(usage));
        }

        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(oids, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));
        if (names is not null)
        {
            request.CertificateExtensions.Add(names);
        }

        var now = time.GetUtcNow();
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] &= 0x7f;
        var end = now + LeafLifetime;
        using var certificate = request.Create(authority, now - Backdate, end < authority.NotAfter ? end : authority.NotAfter, serial);
        return Write(name, certificate, key);
    }

    private X509Certificate2? Read(string name)
    {
        var certificate = Path.Combine(directory, name + ".crt");
        var key = Path.Combine(directory, name + ".key");
        return File.Exists(certificate) && File.Exists(key) ? X509Certificate2.CreateFromPemFile(certificate, key) : null;
    }

    // The key first: a certificate without its key would be taken for a whole pair by nobody, a crash between leaves a pair that is made anew.
    private X509Certificate2 Write(string name, X509Certificate2 certificate, ECDsa key)
    {
        var certificatePath = Path.Combine(directory, name + ".crt");
        File.Delete(certificatePath);
        PrivateFile.Write(Path.Combine(directory, name + ".key"), key.ExportPkcs8PrivateKeyPem() + "\n", PrivateFile.OwnerOnly);
        PrivateFile.Write(certificatePath, certificate.ExportCertificatePem() + "\n", PrivateFile.WorldReadable);
        return Read(name)!;
    }

    private bool IsUsable(X509Certificate2 certificate, X509Certificate2 authority)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = (time.GetUtcNow() + RenewBefore).UtcDateTime;
        return chain.Build(certificate);
    }

    private static bool Covers(X509Certificate2 certificate, IReadOnlyList<string> dnsNames, IReadOnlyList<IPAddress> addresses)
    {
        var extension = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        return extension is not null
            && dnsNames.All(extension.EnumerateDnsNames().ToHashSet(StringComparer.OrdinalIgnoreCase).Contains)
            && addresses.All(extension.EnumerateIPAddresses().ToHashSet().Contains);
    }
}
