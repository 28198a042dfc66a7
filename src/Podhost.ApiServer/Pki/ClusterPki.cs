using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Podhost.ApiServer.Pki;

/// <summary>What the cluster's certificates must cover.</summary>
public sealed record ClusterPkiOptions
{
    /// <summary>Directory of the PEM files, in kubeadm's layout; created with mode 0700.</summary>
    public required string Directory { get; init; }

    /// <summary>Further DNS names of the API server's certificate.</summary>
    public IReadOnlyList<string> ServerNames { get; init; } = [];

    /// <summary>IP addresses of the API server's certificate, besides 127.0.0.1 and ::1.</summary>
    public IReadOnlyList<IPAddress> ServerAddresses { get; init; } = [];

    /// <summary>Cluster domain, for the names of the kubernetes Service.</summary>
    public string ClusterDomain { get; init; } = "cluster.local";
}

/// <summary>The cluster's own certificate authority and the certificates that it issued. Made on the first start, renewed near their end.</summary>
public sealed class ClusterPki : IDisposable
{
    private readonly CertificateStore _store;

    private ClusterPki(CertificateStore store, ClusterPkiOptions options)
    {
        _store = store;
        Authority = store.Authority("ca", "kubernetes");
        ApiServer = store.Server("apiserver", Authority, "kube-apiserver", ServerDnsNames(options), ServerAddresses(options));
        KubeletClient = store.Client("apiserver-kubelet-client", Authority, "kube-apiserver-kubelet-client", "system:masters");
        Administrator = store.Client("admin", Authority, "kubernetes-admin", "system:masters");
        ServiceAccountKey = store.SigningKey("sa");
    }

    /// <summary>The certificate authority, with its key.</summary>
    public X509Certificate2 Authority { get; }

    /// <summary>The API server's serving certificate.</summary>
    public X509Certificate2 ApiServer { get; }

    /// <summary>The client certificate with which the API server calls kubelets.</summary>
    public X509Certificate2 KubeletClient { get; }

    /// <summary>The administrator's client certificate (group system:masters).</summary>
    public X509Certificate2 Administrator { get; }

    /// <summary>The key that signs service-account tokens (ES256).</summary>
    public ECDsa ServiceAccountKey { get; }

    /// <summary>PEM of the authority's certificate, as the root-CA ConfigMap carries it.</summary>
    public string AuthorityPem => Authority.ExportCertificatePem() + "\n";

    /// <summary>Loads the directory's files, makes what is missing.</summary>
    public static ClusterPki LoadOrCreate(ClusterPkiOptions options, TimeProvider time)
    {
        Directory.CreateDirectory(options.Directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return new ClusterPki(new CertificateStore(options.Directory, time), options);
    }

    /// <summary>A kubelet's serving certificate.</summary>
    public X509Certificate2 KubeletServer(string nodeName, IReadOnlyList<IPAddress> addresses) =>
        _store.Server("kubelet", Authority, $"system:node:{nodeName}", [nodeName, "localhost"], [.. addresses.Append(IPAddress.Loopback).Distinct()]);

    /// <summary>Writes a kubeconfig of the administrator, mode 0600.</summary>
    /// <param name="path">The file.</param>
    /// <param name="server">Base address of the API server, for example <c>https://127.0.0.1:6443</c>.</param>
    public void WriteAdminKubeconfig(string path, string server)
    {
        var key = Administrator.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem() + "\n";
        var text = $"""
            apiVersion: v1
            kind: Config
            clusters:
            - name: podhost
              cluster:
                server: {server}
                certificate-authority-data: {Base64(AuthorityPem)}
            users:
            - name: kubernetes-admin
              user:
                client-certificate-data: {Base64(Administrator.ExportCertificatePem() + "\n")}
                client-key-data: {Base64(key)}
            contexts:
            - name: podhost
              context:
                cluster: podhost
                user: kubernetes-admin
            current-context: podhost

            """;
        PrivateFile.Write(path, text, PrivateFile.OwnerOnly);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Authority.Dispose();
        ApiServer.Dispose();
        KubeletClient.Dispose();
        Administrator.Dispose();
        ServiceAccountKey.Dispose();
    }

    private static List<string> ServerDnsNames(ClusterPkiOptions options) =>
    [
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        $"kubernetes.default.svc.{options.ClusterDomain}",
        .. options.ServerNames,
    ];

    private static List<IPAddress> ServerAddresses(ClusterPkiOptions options) =>
        [.. options.ServerAddresses.Append(IPAddress.Loopback).Append(IPAddress.IPv6Loopback).Distinct()];

    private static string Base64(string text) => Convert.ToBase64String(Encoding.ASCII.GetBytes(text));
}
