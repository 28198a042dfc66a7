using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Podhost.Kubelet.Certificates;

/// <summary>What a kubelet asks a certificate for.</summary>
/// <param name="SignerName">Who signs.</param>
/// <param name="Usages">Its usages, in the API's words.</param>
/// <param name="NodeName">The node.</param>
/// <param name="DnsNames">Names, of a serving certificate.</param>
/// <param name="Addresses">Addresses, of a serving certificate.</param>
public sealed record CertificateTerms(
    string SignerName, IReadOnlyList<string> Usages, string NodeName, IReadOnlyList<string> DnsNames, IReadOnlyList<IPAddress> Addresses)
{
    /// <summary>Terms of the certificate by which the kubelet shows the API server who it is.</summary>
    public static CertificateTerms Client(string nodeName) => new("kubernetes.io/kube-apiserver-client-kubelet", ["digital signature", "client auth"], nodeName, [], []);

    /// <summary>Terms of the certificate of the kubelet's HTTPS API.</summary>
    public static CertificateTerms Serving(string nodeName, IReadOnlyList<IPAddress> addresses) =>
        new("kubernetes.io/kubelet-serving", ["digital signature", "server auth"], nodeName, [nodeName], addresses);

    /// <summary>The PKCS #10 request in PEM.</summary>
    public string Request(ECDsa key)
    {
        var request = new CertificateRequest($"O=system:nodes, CN=\"system:node:{NodeName}\"", key, HashAlgorithmName.SHA256);
        if (DnsNames.Count + Addresses.Count > 0)
        {
            var names = new SubjectAlternativeNameBuilder();
            foreach (var name in DnsNames)
            {
                names.AddDnsName(name);
            }

            foreach (var address in Addresses)
            {
                names.AddIpAddress(address);
            }

            request.CertificateExtensions.Add(names.Build());
        }

        return request.CreateSigningRequestPem();
    }

    /// <summary>True where a certificate is for all names and addresses that are asked for.</summary>
    public bool IsMetBy(X509Certificate2 certificate)
    {
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        return DnsNames.All(n => names?.EnumerateDnsNames().Contains(n) == true) && Addresses.All(a => names?.EnumerateIPAddresses().Contains(a) == true);
    }
}
