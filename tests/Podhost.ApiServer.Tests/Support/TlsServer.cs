using System.Net;
using Podhost.ApiServer.Authn;
using Podhost.ApiServer.Hosting;
using Podhost.ApiServer.Pki;
using Podhost.Storage.Memory;

namespace Podhost.ApiServer.Tests.Support;

/// <summary>A server on a TLS port of loopback, for real clients, with an administrator's kubeconfig.</summary>
internal sealed class TlsServer : IAsyncDisposable
{
    private readonly ClusterPki _pki;
    private readonly MemoryStore _store = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("podhost-api-").FullName;

    public TlsServer()
    {
        _pki = ClusterPki.LoadOrCreate(
            new ClusterPkiOptions { Directory = Path.Combine(_directory, "pki"), ServerAddresses = [IPAddress.Loopback] }, TimeProvider.System);
        Server = new Hosting.ApiServer(
            new ApiServerOptions { BindAddress = IPAddress.Loopback, SecurePort = 0, ServingCertificate = _pki.ApiServer },
            new ApiServerDependencies
            {
                Store = _store,
                Authenticator = _ => new ClientCertificateAuthenticator(_pki.Authority, TimeProvider.System),
            });
    }

    public Hosting.ApiServer Server { get; }

    public string Kubeconfig => Path.Combine(_directory, "kubeconfig");

    public async Task StartAsync()
    {
        await Server.StartAsync(Cluster.Deadline);
        await Server.Ready.WaitAsync(Cluster.Deadline);
        _pki.WriteAdminKubeconfig(Kubeconfig, $"https://127.0.0.1:{Server.Port}");
    }

    public async ValueTask DisposeAsync()
    {
        await Server.StopAsync(Cluster.Deadline);
        await Server.DisposeAsync();
        await _store.DisposeAsync();
        _pki.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
