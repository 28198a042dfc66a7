using System.Security.Cryptography.X509Certificates;
using System.Text;
using Podhost.Client.Transport;

namespace Podhost.Client.Tests.Transport;

public sealed class KubeConfigTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("podhost-kubeconfig-").FullName;
    private readonly TestAuthority _authority = new("test-ca");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static string Config(string cluster, string user) => $$"""
        apiVersion: v1
        kind: Config
        current-context: main
        clusters:
        - name: c
          cluster: {{{cluster}}}
        contexts:
        - name: main
          context: {cluster: c, user: u, namespace: team}
        - name: anonymous
          context: {cluster: c}
        users:
        - name: u
          user: {{{user}}}
        """;

    [Fact]
    public void Data_fields_come_before_files()
    {
        using var leaf = _authority.Issue("admin", isServer: false);
        var key = leaf.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem();
        var config = KubeConfig.Parse(
            Config(
                $"server: 'https://h:6443', certificate-authority: missing.crt, certificate-authority-data: {Base64(_authority.Pem)}",
                $"client-certificate-data: {Base64(leaf.ExportCertificatePem())}, client-key-data: {Base64(key)}"),
            _directory);
        Assert.Equal(new Uri("https://h:6443"), config.Server);
        Assert.Equal("team", config.Namespace);
        Assert.Equal("CN=admin", config.ClientCertificate!.Leaf.Subject);
        Assert.True(config.ClientCertificate.Leaf.HasPrivateKey);
        Assert.Single(config.CertificateAuthorities!);
        Assert.Null(config.Token);
    }

    [Fact]
    public void Files_are_relative_to_the_kubeconfig()
    {
        File.WriteAllText(Path.Combine(_directory, "ca.crt"), _authority.Pem);
        var path = Path.Combine(_directory, "config");
        File.WriteAllText(path, Config("server: 'https://h', certificate-authority: ca.crt", "tokenFile: tok"));
        var config = KubeConfig.Load(path);
        Assert.Single(config.CertificateAuthorities!);
        Assert.Equal(Path.Combine(_directory, "tok"), config.TokenFile);
        Assert.Null(KubeConfig.Load(path, "anonymous").TokenFile);
    }

    [Theory]
    [InlineData("server: 'https://h'", "exec: {command: x}", "users[].user.exec is not supported")]
    [InlineData("server: 'https://h'", "username: x, password: y", "users[].user.username is not supported")]
    [InlineData("server: 'https://h'", "as: root", "users[].user.as is not supported")]
    [InlineData("server: 'https://h'", "client-certificate-data: aGk=", "must be set together")]
    [InlineData("server: 'https://h'", "client-certificate-data: aGk=, client-key-data: aGk=", "client-certificate")]
    [InlineData("server: 'https://h', certificate-authority-data: '%%'", "{}", "certificate-authority-data is no base64")]
    [InlineData("server: 'https://h', certificate-authority: nowhere", "{}", "certificate-authority")]
    [InlineData("server: 'ftp://h'", "{}", "no http or https address")]
    [InlineData("x: y", "{}", "server is not set")]
    [InlineData("server: [1]", "{}", "wrong type")]
    public void What_cannot_be_used_is_refused_by_name(string cluster, string user, string message)
    {
        var text = Config(cluster, user == "{}" ? "x: y" : user);
        Assert.Contains(message, Assert.Throws<ClientConfigException>(() => KubeConfig.Parse(text, _directory)).Message);
    }

    [Fact]
    public void A_missing_context_or_file_is_named()
    {
        var text = Config("server: 'https://h'", "token: t");
        Assert.Contains("\"other\"", Assert.Throws<ClientConfigException>(() => KubeConfig.Parse(text, _directory, "other")).Message);
        Assert.Contains("/nowhere/config", Assert.Throws<ClientConfigException>(() => KubeConfig.Load("/nowhere/config")).Message);
        Assert.Contains("yaml", Assert.Throws<ClientConfigException>(() => KubeConfig.Parse("a: [", _directory)).Message);
    }

    [Fact]
    public void A_pod_finds_its_service_account()
    {
        File.WriteAllText(Path.Combine(_directory, "ca.crt"), _authority.Pem);
        File.WriteAllText(Path.Combine(_directory, "token"), "t");
        File.WriteAllText(Path.Combine(_directory, "namespace"), "team\n");
        var environment = new Dictionary<string, string?> { ["KUBERNETES_SERVICE_HOST"] = "fd00::1", ["KUBERNETES_SERVICE_PORT"] = "443" };
        var config = InClusterConfig.Load(environment.GetValueOrDefault, _directory);
        Assert.Equal(("https://[fd00::1]/", "team"), (config.Server.AbsoluteUri, config.Namespace));
        Assert.Contains("not in a pod", Assert.Throws<ClientConfigException>(() => InClusterConfig.Load(_ => null, _directory)).Message);
        Assert.Contains("cannot be used", Assert.Throws<ClientConfigException>(() => InClusterConfig.Load(environment.GetValueOrDefault, "/nowhere")).Message);
    }

    [Fact]
    public async Task The_server_is_checked_and_the_client_shown()
    {
        await using var server = new TlsServer(_authority);
        using var leaf = _authority.Issue("admin", isServer: false);
        var trusted = new X509Certificate2Collection();
        trusted.ImportFromPem(_authority.Pem);
        var foreign = new X509Certificate2Collection();
        foreign.ImportFromPem(new TestAuthority("foreign").Pem);
        var token = Path.Combine(_directory, "token");
        await File.WriteAllTextAsync(token, "s3cret\n", Ct);
        var config = new ClientConfig { Server = server.Address, CertificateAuthorities = trusted };

        Assert.Equal("|", await AskAsync(config));
        Assert.Equal("CN=admin|", await AskAsync(config with { ClientCertificate = new ClientCertificate(leaf, []) }));
        Assert.Equal("|Bearer abc", await AskAsync(config with { Token = "abc" }));
        Assert.Equal("|Bearer s3cret", await AskAsync(config with { TokenFile = token }));
        Assert.Equal("|", await AskAsync(config with { CertificateAuthorities = foreign, InsecureSkipTlsVerify = true }));
        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(config with { CertificateAuthorities = foreign }));
        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(config with { CertificateAuthorities = null }));

        var byAddress = new UriBuilder(server.Address) { Host = "127.0.0.1" }.Uri;
        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(config with { Server = byAddress }));
        Assert.Equal("|", await AskAsync(config with { Server = byAddress, TlsServerName = "localhost" }));
        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(config with { Server = byAddress, TlsServerName = "other" }));
    }

    private static async Task<string> AskAsync(ClientConfig config)
    {
        using var transport = HttpsTransport.Create(config);
        var client = new ApiClient(transport, new ApiClientOptions { BaseAddress = config.Server });
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/version", UriKind.Relative));
        using var response = await client.SendAsync(request, Ct);
        return await response.Content.ReadAsStringAsync(Ct);
    }
}
