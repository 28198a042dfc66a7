using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Podhost.Runtime.Images.Registry;

/// <summary>The certificates of one host: read again when a file of the directory has changed.</summary>
/// <param name="directory">Where ca.crt, client.cert and client.key are.</param>
internal sealed class RegistryCertificates(string directory)
{
    private const string Authority = "ca.crt";
    private const string Client = "client.cert";
    private const string Key = "client.key";

    /// <summary>Changes when a file comes, goes or is written.</summary>
    internal string Stamp => string.Join(';', new[] { Authority, Client, Key }.Select(file => File.GetLastWriteTimeUtc(Path.Combine(directory, file)).Ticks));

    /// <summary>TLS with this host.</summary>
    /// <exception cref="HttpRequestException">A file that is there cannot be used; the message names the directory.</exception>
    internal SslClientAuthenticationOptions Read()
    {
        try
        {
            var options = new SslClientAuthenticationOptions();
            if (File.Exists(Path.Combine(directory, Authority)))
            {
                options.CertificateChainPolicy = Trust(Path.Combine(directory, Authority));
            }

            if (File.Exists(Path.Combine(directory, Client)) || File.Exists(Path.Combine(directory, Key)))
            {
                options.ClientCertificates = [X509Certificate2.CreateFromPemFile(Path.Combine(directory, Client), Path.Combine(directory, Key))];
            }

            return options;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new HttpRequestException($"certificates in {directory}: {failure.Message}", failure);
        }
    }

    // Beside the machine's own roots, as other runtimes have it: the registry may have got a public certificate meanwhile.
    private static X509ChainPolicy Trust(string file)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(file);
        using var store = new X509Store(StoreName.Root, StoreLocation.LocalMachine);
        store.Open(OpenFlags.ReadOnly);
        policy.CustomTrustStore.AddRange(store.Certificates);
        return policy;
    }
}
