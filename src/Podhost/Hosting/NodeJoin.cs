using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Podhost.Client;
using Podhost.Client.Transport;
using Podhost.Configuration;
using Podhost.Kubelet.Certificates;

namespace Podhost.Hosting;

/// <summary>
/// A kubelet's way into a control plane: with a kubeconfig, which a bootstrap kubeconfig makes by asking for a client certificate; the certificate is renewed before
/// it ends, and one for serving is asked for where serverTLSBootstrap says so.
/// </summary>
internal sealed class NodeJoin : IDisposable
{
    private readonly HttpMessageInvoker _invoker;

    private NodeJoin(HttpMessageInvoker invoker, ApiClient client, KubeletCertificates certificates, IReadOnlyList<Func<CancellationToken, Task>> loops) =>
        (_invoker, Client, Certificates, Loops) = (invoker, client, certificates, loops);

    /// <summary>The API server as this node.</summary>
    public IApiClient Client { get; }

    /// <summary>Certificates of the kubelet's HTTPS API.</summary>
    public KubeletCertificates Certificates { get; }

    /// <summary>What keeps the certificates.</summary>
    public IReadOnlyList<Func<CancellationToken, Task>> Loops { get; }

    /// <summary>Joins; waits until there is a client certificate.</summary>
    /// <exception cref="ConfigurationException">A kubeconfig cannot be used.</exception>
    public static async Task<NodeJoin> StartAsync(
        PodhostOptions options, string kubeconfig, string? bootstrapKubeconfig, TimeProvider time, ILoggerFactory logs, CancellationToken cancellationToken)
    {
        var log = logs.CreateLogger<CertificateKeeper>();
        var random = new Random();
        var settings = KubeletCertificateSettings.Of(options);
        CertificateKeeper Keeper(string name, CertificateTerms terms) => new(Path.Combine(options.DataDir, "kubelet", "pki", name), terms, time, random, log);
        var own = Keeper(NodeKubeconfig.CertificateFile, CertificateTerms.Client(options.NodeName));
        if (bootstrapKubeconfig is not null && !IsUsable(kubeconfig, time))
        {
            await BootstrapAsync(options, own, kubeconfig, bootstrapKubeconfig, time, cancellationToken);
        }

        var config = Load("--kubeconfig", kubeconfig);
        var transport = new SwitchableTransport(config, time);
        var invoker = new HttpMessageInvoker(transport);
        var client = new ApiClient(invoker, new ApiClientOptions { BaseAddress = config.Server, UserAgent = "podhost-kubelet" });
        var loops = new List<Func<CancellationToken, Task>>();
        if (settings.Rotate && bootstrapKubeconfig is not null && own.Load())
        {
            own.Renewed += transport.Use;
            loops.Add(stop => own.RunAsync(client, stop));
        }

        var serving = Keeper("kubelet-server-current.pem", CertificateTerms.Serving(options.NodeName, NodeAddress.All(options)));
        if (settings.ServerBootstrap)
        {
            serving.Load();
            loops.Add(stop => serving.RunAsync(client, stop));
        }

        // Who made this node a member may reach it: the cluster's authority, unless another one is named.
        IReadOnlyList<X509Certificate2> authorities = bootstrapKubeconfig is not null && KubeletAccessSettings.Of(options).ClientCaFile is null && config.CertificateAuthorities is { } ca ? [.. ca] : [];
        return new NodeJoin(invoker, client, new KubeletCertificates(() => serving.Current, authorities), loops);
    }

    public void Dispose() => _invoker.Dispose();

    private static async Task BootstrapAsync(
        PodhostOptions options, CertificateKeeper own, string kubeconfig, string bootstrapKubeconfig, TimeProvider time, CancellationToken cancellationToken)
    {
        var bootstrap = Load("--bootstrap-kubeconfig", bootstrapKubeconfig);
        using var invoker = HttpsTransport.Create(bootstrap, time);
        var client = new ApiClient(invoker, new ApiClientOptions { BaseAddress = bootstrap.Server, UserAgent = "podhost-kubelet" });
        await own.ObtainAsync(client, cancellationToken);
        NodeKubeconfig.Write(kubeconfig, bootstrap, options);
    }

    // A kubeconfig with a token, or with a certificate that has not ended.
    private static bool IsUsable(string kubeconfig, TimeProvider time)
    {
        try
        {
            return KubeConfig.Load(kubeconfig) is var config && (config.ClientCertificate is null || config.ClientCertificate.Leaf.NotAfter.ToUniversalTime() > time.GetUtcNow().UtcDateTime);
        }
        catch (ClientConfigException)
        {
            return false; // made anew
        }
    }

    private static ClientConfig Load(string option, string path)
    {
        try
        {
            return KubeConfig.Load(path);
        }
        catch (ClientConfigException e)
        {
            throw new ConfigurationException($"{option}: {e.Message}");
        }
    }
}
