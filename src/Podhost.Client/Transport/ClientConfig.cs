using System.Security.Cryptography.X509Certificates;

namespace Podhost.Client.Transport;

/// <summary>Where a server is, how it is trusted, and who we are: what a kubeconfig context or a pod's service account says.</summary>
public sealed record ClientConfig
{
    /// <summary>The server's address; http or https.</summary>
    public required Uri Server { get; init; }

    /// <summary>The authorities that may have signed the server's certificate; null for the system's.</summary>
    public X509Certificate2Collection? CertificateAuthorities { get; init; }

    /// <summary>True to accept any server certificate.</summary>
    public bool InsecureSkipTlsVerify { get; init; }

    /// <summary>The name to look for in the server's certificate where it is not the address's host.</summary>
    public string? TlsServerName { get; init; }

    /// <summary>The client certificate, with its private key and chain; null for none.</summary>
    public ClientCertificate? ClientCertificate { get; init; }

    /// <summary>Bearer token; null for none.</summary>
    public string? Token { get; init; }

    /// <summary>File with the bearer token, read again as it is rotated; takes precedence over <see cref="Token"/>.</summary>
    public string? TokenFile { get; init; }

    /// <summary>HTTP proxy; null for the environment's.</summary>
    public Uri? Proxy { get; init; }

    /// <summary>Namespace of the context.</summary>
    public string Namespace { get; init; } = "default";
}

/// <summary>A client certificate with what the server needs to follow its chain.</summary>
/// <param name="Leaf">The certificate, with its private key.</param>
/// <param name="Intermediates">Certificates between it and the authority.</param>
public sealed record ClientCertificate(X509Certificate2 Leaf, X509Certificate2Collection Intermediates)
{
    /// <summary>Reads a PEM chain, leaf first, and its PEM key.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">They are no PEM, or do not belong together.</exception>
    public static ClientCertificate FromPem(string certificates, string key)
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(certificates);
        var leaf = X509Certificate2.CreateFromPem(certificates, key);
        if (chain.Count > 0)
        {
            chain.RemoveAt(0);
        }

        return new ClientCertificate(leaf, chain);
    }
}

/// <summary>A kubeconfig, or a service account's files, that cannot be used; the message names the file and the field.</summary>
/// <param name="message">What is wrong.</param>
/// <param name="inner">The cause.</param>
public sealed class ClientConfigException(string message, Exception? inner = null) : Exception(message, inner);
