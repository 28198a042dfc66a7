using System.Text;
using Podhost.Client.Transport;
using Podhost.Configuration;

namespace Podhost.Hosting;

/// <summary>Kubeconfigs that are written for nodes.</summary>
internal static class NodeKubeconfig
{
    /// <summary>Chain and key of the node's client certificate, below <c>kubelet/pki</c> of the data directory.</summary>
    public const string CertificateFile = "kubelet-client-current.pem";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes the kubeconfig of a node that has its certificate: server and authority are those of the bootstrap kubeconfig.</summary>
    public static void Write(string path, ClientConfig bootstrap, PodhostOptions options)
    {
        var certificate = Path.Combine(options.DataDir, "kubelet", "pki", CertificateFile);
        var authorities = string.Concat((bootstrap.CertificateAuthorities ?? []).Select(c => c.ExportCertificatePem() + "\n"));
        var text = Text(bootstrap.Server.ToString(), authorities, $"client-certificate: {Quote(certificate)}\n    client-key: {Quote(certificate)}", "node", bootstrap.InsecureSkipTlsVerify);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        File.Delete(path);
        using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly });
        file.Write(Encoding.UTF8.GetBytes(text));
    }

    /// <summary>A kubeconfig with one context.</summary>
    /// <param name="server">Address of the API server.</param>
    /// <param name="authorities">PEM of its authorities; empty: those of the machine.</param>
    /// <param name="credentials">Fields of the user, in YAML.</param>
    /// <param name="user">Name of the user.</param>
    /// <param name="insecure">The server is not verified.</param>
    public static string Text(string server, string authorities, string credentials, string user, bool insecure = false) => $"""
        apiVersion: v1
        kind: Config
        clusters:
        - name: podhost
          cluster:
            server: {Quote(server)}{(authorities.Length > 0 ? $"\n    certificate-authority-data: {Convert.ToBase64String(Encoding.ASCII.GetBytes(authorities))}" : "")}{(insecure ? "\n    insecure-skip-tls-verify: true" : "")}
        users:
        - name: {user}
          user:
            {credentials}
        contexts:
        - name: podhost
          context:
            cluster: podhost
            user: {user}
        current-context: podhost

        """;

    // JSON's strings are YAML's.
    private static string Quote(string text) => System.Text.Json.Nodes.JsonValue.Create(text).ToJsonString();
}
