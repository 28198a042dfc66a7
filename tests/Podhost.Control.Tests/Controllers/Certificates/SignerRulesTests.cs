using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using k8s.Models;
using Podhost.Api.Certificates;
using Podhost.Control.Controllers.Certificates;

namespace Podhost.Control.Tests.Controllers.Certificates;

public sealed class SignerRulesTests
{
    private const string Node = "CN=\"system:node:n1\", O=system:nodes";

    [Theory]
    [InlineData(Node, "", "digital signature,client auth", null)]
    [InlineData(Node, "", "digital signature,key encipherment,client auth", null)]
    [InlineData(Node, "", "digital signature,client auth,server auth", "usages did not match")]
    [InlineData(Node, "n1", "digital signature,client auth", "DNS subjectAltNames are not allowed")]
    [InlineData(Node, "10.0.0.1", "digital signature,client auth", "IP subjectAltNames are not allowed")]
    [InlineData("CN=\"system:node:n1\", O=system:nodes, O=system:masters", "", "digital signature,client auth", "subject organization is not system:nodes")]
    [InlineData("CN=\"system:node:\", O=system:nodes", "", "digital signature,client auth", "subject common name does not begin with system:node:")]
    [InlineData("CN=admin, O=system:nodes", "", "digital signature,client auth", "subject common name does not begin with system:node:")]
    public void A_kubelets_client_certificate_is_the_nodes_and_nothing_else(string subject, string names, string usages, string? refusal) =>
        Check(SignerRules.KubeletClient, subject, names, usages, refusal);

    [Theory]
    [InlineData(Node, "n1,10.0.0.1", "digital signature,server auth", null)]
    [InlineData(Node, "", "digital signature,server auth", "DNS or IP subjectAltName is required")]
    [InlineData(Node, "n1,mail@n1", "digital signature,server auth", "Email and URI subjectAltNames are not allowed")]
    [InlineData(Node, "n1", "digital signature,client auth", "usages did not match")]
    public void A_kubelets_serving_certificate_has_names(string subject, string names, string usages, string? refusal) =>
        Check(SignerRules.KubeletServing, subject, names, usages, refusal);

    [Theory]
    [InlineData("digital signature,client auth", null)]
    [InlineData("client auth,server auth", "usage server auth is not allowed")]
    [InlineData("digital signature", "client auth usage is required")]
    public void A_clients_certificate_is_for_clients(string usages, string? refusal) => Check(SignerRules.Client, "CN=jane", "", usages, refusal);

    [Theory]
    [InlineData("system:node:n1", "n1,10.0.0.1", null)]
    [InlineData("system:node:n2", "n1", "a node asks for its own certificate only")]
    [InlineData("system:node:n1", "n2", "n2 is not an address of the node alone")]
    [InlineData("system:node:n1", "10.0.0.2", "10.0.0.2 is not an address of the node alone")]
    [InlineData("system:node:n1", "10.0.0.9", "10.0.0.9 is not an address of the node alone")]
    [InlineData("system:node:n1", "kubernetes.default.svc", "kubernetes.default.svc is not an address of the node alone")]
    public void A_serving_certificate_is_approved_for_what_the_node_alone_is(string user, string names, string? refusal)
    {
        // Both say 10.0.0.9: then it is neither's alone.
        V1Node[] nodes = [NodeOf("n1", "10.0.0.1", "10.0.0.9"), NodeOf("n2", "10.0.0.2", "10.0.0.9")];
        var spec = new V1CertificateSigningRequestSpec { Username = user, Groups = ["system:nodes"], Usages = ["digital signature", "server auth"] };
        Assert.Equal(refusal, SignerRules.ServingApprovalRefusal(Request(Node, names), spec, nodes));
    }

    [Fact]
    public void What_is_issued_has_the_subject_and_names_asked_for_and_ends_with_the_authority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authority = new CertificateRequest("CN=ca", key, HashAlgorithmName.SHA256);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        authority.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(authority.PublicKey, false));
        var now = TimeProvider.System.GetUtcNow();
        using var ca = authority.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        var pem = new CertificateIssuer(ca, TimeProvider.System).Issue(Request(Node, "n1,10.0.0.1", rsa: true), ["digital signature", "server auth"], null);
        using var issued = X509Certificate2.CreateFromPem(pem);
        var names = issued.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();
        Assert.Equal(["n1"], names.EnumerateDnsNames());
        Assert.Equal([IPAddress.Parse("10.0.0.1")], names.EnumerateIPAddresses());
        Assert.Equal("CN=system:node:n1, O=system:nodes", issued.Subject.Replace("\"", "", StringComparison.Ordinal));
        Assert.Equal(ca.NotAfter, issued.NotAfter);
        Assert.False(issued.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority);
    }

    private static void Check(string signer, string subject, string names, string usages, string? refusal)
    {
        var found = SignerRules.Refusal(signer, Request(subject, names), usages.Split(','));
        Assert.StartsWith(refusal ?? "signed", found ?? "signed", StringComparison.Ordinal);
    }

    private static SigningRequest Request(string subject, string names, bool rsa = false)
    {
        using AsymmetricAlgorithm key = rsa ? RSA.Create(2048) : ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = key is RSA r ? new CertificateRequest(subject, r, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1) : new CertificateRequest(subject, (ECDsa)key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (IPAddress.TryParse(name, out var address))
            {
                alternatives.AddIpAddress(address);
            }
            else if (name.Contains('@', StringComparison.Ordinal))
            {
                alternatives.AddEmailAddress(name);
            }
            else
            {
                alternatives.AddDnsName(name);
            }
        }

        if (names.Length > 0)
        {
            request.CertificateExtensions.Add(alternatives.Build());
        }

        return SigningRequest.Read(Encoding.ASCII.GetBytes(request.CreateSigningRequestPem()));
    }

    private static V1Node NodeOf(string name, params string[] addresses) => new()
    {
        Metadata = new V1ObjectMeta { Name = name },
        Status = new V1NodeStatus { Addresses = [.. addresses.Select(a => new V1NodeAddress { Type = "InternalIP", Address = a })] },
    };
}
