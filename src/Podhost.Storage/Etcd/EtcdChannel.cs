using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Net.Client;
using Podhost.Storage.Contract;

namespace Podhost.Storage.Etcd;

/// <summary>The gRPC channel: HTTP/2 with keep-alive pings, mutual TLS where configured.</summary>
internal static class EtcdChannel
{
    private const int MaxMessageBytes = 512 * 1024 * 1024;

    internal static GrpcChannel Open(EtcdStoreOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            EnableMultipleHttp2Connections = true,
            KeepAlivePingDelay = TimeSpan.FromSeconds(20),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            ConnectTimeout = options.CallTimeout,
            UseProxy = false,
        };
        if (options.Endpoint.Scheme == Uri.UriSchemeHttps)
        {
            handler.SslOptions = Tls(options);
        }

        return GrpcChannel.ForAddress(options.Endpoint, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = MaxMessageBytes,

            // Calls fail at once between tries to connect; gRPC's default of up to two minutes between them is an outage of its own.
            InitialReconnectBackoff = TimeSpan.FromMilliseconds(50),
            MaxReconnectBackoff = TimeSpan.FromSeconds(1),
        });
    }

    private static SslClientAuthenticationOptions Tls(EtcdStoreOptions options)
    {
        try
        {
            var tls = new SslClientAuthenticationOptions();
            if (options.CaFile is not null)
            {
                tls.CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    RevocationMode = X509RevocationMode.NoCheck,
                };
                tls.CertificateChainPolicy.CustomTrustStore.ImportFromPemFile(options.CaFile);
            }

            if (options.CertFile is not null)
            {
                var chain = new X509Certificate2Collection();
                chain.ImportFromPemFile(options.CertFile);
                tls.ClientCertificateContext = SslStreamCertificateContext.Create(
                    X509Certificate2.CreateFromPemFile(options.CertFile, options.KeyFile), chain, offline: true);
            }

            return tls;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new StoreException($"etcd: the TLS files cannot be used: {e.Message}", e);
        }
    }
}
