using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Joining;

/// <summary>certificates.k8s.io with kubectl: ask, approve, deny, use.</summary>
public sealed class CertificateRequestTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task An_approved_request_gets_a_certificate_that_the_API_server_knows()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await ApplyAsync("jane", "CN=jane, O=builders", key);
        Assert.Matches(@"jane +\S+ +kubernetes.io/kube-apiserver-client +kubernetes-admin +24h +Pending", await K.OkAsync("get csr jane"));
        await K.OkAsync("certificate approve jane");
        await WaitAsync("jane", ".status.certificate");
        Assert.Matches(@"jane .* Approved,Issued", await K.OkAsync("get csr jane"));

        // The certificate and its key make a user.
        var certificate = Path.Combine(Cluster.Root, "jane.crt");
        var keyFile = Path.Combine(Cluster.Root, "jane.key");
        await File.WriteAllBytesAsync(certificate, Convert.FromBase64String(await K.OkAsync("get csr jane -o", "jsonpath={.status.certificate}")));
        await File.WriteAllTextAsync(keyFile, key.ExportPkcs8PrivateKeyPem());
        using (var issued = X509Certificate2.CreateFromPemFile(certificate, keyFile))
        {
            Assert.InRange(issued.NotAfter - issued.NotBefore, TimeSpan.FromHours(23.9), TimeSpan.FromHours(24.2));
        }

        var whoami = await K.OkAsync(
            $"auth whoami --kubeconfig=/dev/null --server=https://127.0.0.1:{Cluster.SecurePort} --insecure-skip-tls-verify --client-certificate={certificate} --client-key={keyFile} -o", "jsonpath={.status.userInfo.username} {.status.userInfo.groups}");
        Assert.Equal("jane [\"builders\",\"system:authenticated\"]", whoami);
        await K.OkAsync("delete csr jane");
    }

    [Fact]
    public async Task A_denied_request_stays_without_and_masters_are_not_made_here()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await ApplyAsync("joe", "CN=joe", key);
        await K.OkAsync("certificate deny joe");
        Assert.Matches("joe .* Denied", await K.OkAsync("get csr joe"));
        Assert.Contains("already", (await K.RunAsync("certificate approve joe")).Error, StringComparison.Ordinal);
        await K.OkAsync("delete csr joe");
        var refused = await K.RunAsync(["apply", "-f", "-"], Manifest("root", "CN=root, O=system:masters", key));
        Assert.Contains("use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed", refused.Error, StringComparison.Ordinal);
        Assert.Contains("PEM block type must be CERTIFICATE REQUEST", (await K.RunAsync(["apply", "-f", "-"], Manifest("none", "CN=x", key, "eA=="))).Error, StringComparison.Ordinal);
    }

    private Task ApplyAsync(string name, string subject, ECDsa key) => K.ApplyAsync(Manifest(name, subject, key));

    private async Task WaitAsync(string name, string jsonPath) => await K.OkAsync($"wait csr/{name} --timeout=30s", $"--for=jsonpath={{{jsonPath}}}");

    private static string Manifest(string name, string subject, ECDsa key, string? request = null) => $$"""
        apiVersion: certificates.k8s.io/v1
        kind: CertificateSigningRequest
        metadata: {name: {{name}}}
        spec:
          signerName: kubernetes.io/kube-apiserver-client
          expirationSeconds: 86400
          usages: [digital signature, client auth]
          username: somebody-else
          request: {{request ?? Convert.ToBase64String(Encoding.ASCII.GetBytes(new CertificateRequest(subject, key, HashAlgorithmName.SHA256).CreateSigningRequestPem()))}}
        """;
}
