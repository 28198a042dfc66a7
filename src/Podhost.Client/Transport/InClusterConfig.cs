using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Podhost.Client.Transport;

/// <summary>The configuration that a pod finds: the service account's files and the API server's address in the environment.</summary>
public static class InClusterConfig
{
    /// <summary>Where the service account is mounted.</summary>
    public const string Directory = "/var/run/secrets/kubernetes.io/serviceaccount";

    /// <summary>Loads it.</summary>
    /// <param name="environment">Reads a variable; null for the process's.</param>
    /// <param name="directory">The mounted files.</param>
    /// <exception cref="ClientConfigException">The process does not run in a pod, or the files are missing.</exception>
    public static ClientConfig Load(Func<string, string?>? environment = null, string directory = Directory)
    {
        environment ??= Environment.GetEnvironmentVariable;
        var (host, port) = (environment("KUBERNETES_SERVICE_HOST"), environment("KUBERNETES_SERVICE_PORT"));
        if (string.IsNullOrEmpty(host) || string.IsNullOrEmpty(port))
        {
            throw new ClientConfigException("not in a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set");
        }

        try
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(Path.Combine(directory, "ca.crt"));
            var token = Path.Combine(directory, "token");
            _ = File.ReadAllText(token);
            var ns = Path.Combine(directory, "namespace");
            return new ClientConfig
            {
                Server = new Uri(host.Contains(':') ? $"https://[{host}]:{port}" : $"https://{host}:{port}"),
                CertificateAuthorities = authorities,
                TokenFile = token,
                Namespace = File.Exists(ns) ? File.ReadAllText(ns).Trim() : "default",
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or UriFormatException)
        {
            throw new ClientConfigException($"the service account in {directory} cannot be used: {e.Message}", e);
        }
    }
}
