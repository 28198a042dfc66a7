using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Podhost.Client.Transport;

/// <summary>Makes the HTTPS transport of a configuration: mutual TLS, HTTP/2 with as many connections as streams need, keep-alive pings.</summary>
public static class HttpsTransport
{
    /// <summary>An invoker for <see cref="ApiClient"/>; the caller disposes it.</summary>
    public static HttpMessageInvoker Create(ClientConfig config, TimeProvider? time = null)
    {
        HttpMessageHandler handler = CreateHandler(config);
        if (config.TokenFile is not null)
        {
            handler = new BearerTokenHandler(config.TokenFile, time ?? TimeProvider.System, handler);
        }
        else if (config.Token is not null)
        {
            handler = new StaticTokenHandler(config.Token, handler);
        }

        return new HttpMessageInvoker(handler, disposeHandler: true);
    }

    /// <summary>The bare handler, without tokens; for other protocols on the same connection settings.</summary>
    public static SocketsHttpHandler CreateHandler(ClientConfig config)
    {
        var handler = new SocketsHttpHandler
        {
            // Watches hold streams open: one connection's limit of streams must not become ours.
            EnableMultipleHttp2Connections = true,
            KeepAlivePingDelay = TimeSpan.FromSeconds(30),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(15),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            ConnectTimeout = TimeSpan.FromSeconds(30),
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(5),
            AutomaticDecompression = DecompressionMethods.None,
            AllowAutoRedirect = false,
            UseCookies = false,
            SslOptions = Ssl(config),
        };
        if (config.Proxy is not null)
        {
            handler.Proxy = new WebProxy(config.Proxy);
        }

        return handler;
    }

    private static SslClientAuthenticationOptions Ssl(ClientConfig config)
    {
        var ssl = new SslClientAuthenticationOptions
        {
            RemoteCertificateValidationCallback = (_, certificate, _, errors) => IsTrusted(config, certificate, errors),
            CertificateChainPolicy = config.CertificateAuthorities is null ? null : ChainPolicy(config.CertificateAuthorities),
        };
        if (config.ClientCertificate is { } client)
        {
            ssl.ClientCertificateContext = SslStreamCertificateContext.Create(client.Leaf, client.Intermediates, offline: true);
        }

        return ssl;
    }

    private static X509ChainPolicy ChainPolicy(X509Certificate2Collection authorities)
    {
        // Only the configured authorities count, not the system's; cluster authorities publish no revocation lists.
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(authorities);
        return policy;
    }

    private static bool IsTrusted(ClientConfig config, X509Certificate? certificate, SslPolicyErrors errors)
    {
        if (config.InsecureSkipTlsVerify)
        {
            return true;
        }

        if (config.TlsServerName is { Length: > 0 } name)
        {
            return (errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) == SslPolicyErrors.None
                && certificate is X509Certificate2 leaf
                && leaf.MatchesHostname(name);
        }

        return errors == SslPolicyErrors.None;
    }
}
