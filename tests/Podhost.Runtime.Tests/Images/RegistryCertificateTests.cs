using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Podhost.Runtime.Tests.Images;

/// <summary>A registry whose certificate comes from a private authority, and which asks its clients for one.</summary>
public sealed class RegistryCertificateTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("podhost-certs-");
    private readonly X509Certificate2 _authority = Authority();

    public void Dispose()
    {
        _authority.Dispose();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task A_private_authority_and_a_client_certificate_are_taken_from_the_hosts_directory()
    {
        using var server = Issue("127.0.0.1", server: true);
        await using var registry = await FakeRegistry.StartAsync(listen => listen.UseHttps(new HttpsConnectionAdapterOptions
        {
            ServerCertificate = server,
            ClientCertificateMode = ClientCertificateMode.RequireCertificate,
            ClientCertificateValidation = (certificate, _, _) => certificate.IssuerName.Name == _authority.SubjectName.Name,
        }));
        registry.Add("app", TestImage.Create([new TestLayer().File("f", [1]).Tar()], TestImage.LayerTar));
        var image = $"{registry.Host}/app";
        await using var node = await TestNode.StartAsync(options => options with
        {
            Certificates = new Dictionary<string, string> { [registry.Host] = _directory.FullName }, MaxAttempts = 1,
        });

        // Neither known nor known to it.
        Assert.NotNull(await node.FailPullAsync(image));
        Write("ca.crt", _authority.ExportCertificatePem());
        Assert.NotNull(await node.FailPullAsync(image));
        Assert.Empty(registry.Requests);

        using var client = Issue("puller", server: false);
        Write("client.cert", client.ExportCertificatePem());
        Assert.Contains(_directory.FullName, (await node.FailPullAsync(image)).Status.Detail, StringComparison.Ordinal);
        Write("client.key", client.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        await node.PullAsync(image);
    }

    private static X509Certificate2 Authority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=a private authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UnixEpoch, new DateTimeOffset(2200, 1, 1, 0, 0, 0, TimeSpan.Zero));
    }

    private void Write(string file, string text) => File.WriteAllText(Path.Combine(_directory.FullName, file), text);

    private X509Certificate2 Issue(string name, bool server)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        if (server)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddIpAddress(IPAddress.Parse(name));
            request.CertificateExtensions.Add(names.Build());
        }

        using var issued = request.Create(_authority, DateTimeOffset.UnixEpoch, new DateTimeOffset(2199, 1, 1, 0, 0, 0, TimeSpan.Zero), RandomNumberGenerator.GetBytes(8));
        return issued.CopyWithPrivateKey(key);
    }
}
