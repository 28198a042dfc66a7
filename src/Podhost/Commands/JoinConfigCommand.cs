using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Client;
using Podhost.Client.Transport;
using Podhost.Configuration;
using Podhost.Hosting;

namespace Podhost.Commands;

/// <summary><c>podhost join-config</c>: a kubeconfig with which kubelets ask this control plane for a certificate, and so join it.</summary>
internal static class JoinConfigCommand
{
    private const string Letters = "abcdefghijklmnopqrstuvwxyz0123456789";

    public static Command Create(TimeProvider time)
    {
        var options = new InstanceOptions();
        var server = new Option<string?>("--server") { Description = "address of the API server as nodes reach it (default https://NODE-IP:SECURE-PORT)" };
        var lifetime = new Option<string>("--ttl") { Description = "how long nodes may join with it", DefaultValueFactory = _ => "24h" };
        var command = new Command("join-config", "print a bootstrap kubeconfig for podhost kubelet --bootstrap-kubeconfig");
        options.AddAllTo(command);
        command.Options.Add(server);
        command.Options.Add(lifetime);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var instance = options.Read(parsed);
            var end = time.GetUtcNow() + OptionParsing.Duration(lifetime.Name, parsed.GetValue(lifetime)!);
            var address = parsed.GetValue(server) ?? new UriBuilder(Uri.UriSchemeHttps, $"{NodeAddress.Of(instance)}", instance.SecurePort).Uri.GetLeftPart(UriPartial.Authority);
            if (!Uri.TryCreate(address, UriKind.Absolute, out var url) || url.Scheme != Uri.UriSchemeHttps)
            {
                throw new ConfigurationException($"--server: Invalid value: \"{address}\": must be an https address");
            }

            await parsed.InvocationConfiguration.Output.WriteAsync(await MakeAsync(instance, url, end, cancellationToken));
            return 0;
        });
        return command;
    }

    private static async Task<string> MakeAsync(PodhostOptions instance, Uri server, DateTimeOffset end, CancellationToken cancellationToken)
    {
        try
        {
            var administrator = KubeConfig.Load(instance.AdminKubeconfig);
            using var invoker = HttpsTransport.Create(administrator);
            var client = new ApiClient(invoker, new ApiClientOptions { BaseAddress = administrator.Server, UserAgent = "podhost-join-config" });
            var (id, secret) = (RandomNumberGenerator.GetString(Letters, 6), RandomNumberGenerator.GetString(Letters, 16));
            await client.CreateAsync(Token(id, secret, end), cancellationToken);
            var authorities = string.Concat((administrator.CertificateAuthorities ?? []).Select(c => c.ExportCertificatePem() + "\n"));
            return NodeKubeconfig.Text(server.ToString(), authorities, $"token: {id}.{secret}", "bootstrap");
        }
        catch (Exception e) when (e is ClientConfigException or ApiException or HttpRequestException)
        {
            throw new ConfigurationException($"join-config asks the running control plane of {instance.DataDir}: {e.Message}");
        }
    }

    private static V1Secret Token(string id, string secret, DateTimeOffset end) => new()
    {
        ApiVersion = "v1",
        Kind = "Secret",
        Metadata = new V1ObjectMeta { Name = $"bootstrap-token-{id}", NamespaceProperty = "kube-system" },
        Type = "bootstrap.kubernetes.io/token",
        Data = new Dictionary<string, byte[]>
        {
            ["token-id"] = Encoding.ASCII.GetBytes(id),
            ["token-secret"] = Encoding.ASCII.GetBytes(secret),
            ["expiration"] = Encoding.ASCII.GetBytes(end.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)),
            ["usage-bootstrap-authentication"] = "true"u8.ToArray(),
            ["description"] = "made by podhost join-config"u8.ToArray(),
        },
    };
}
