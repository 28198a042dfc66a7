using System.Security.Cryptography.X509Certificates;
using Podhost.Integration.Tests.Instances;
using Podhost.Tests.Shared;

namespace Podhost.Integration.Tests.Standalone;

/// <summary>A kubelet without an API server: a directory of manifests, a page of manifests, an authority for clients.</summary>
public sealed class StandaloneFixture : IAsyncLifetime
{
    private Instance? _instance;
    private X509Certificate2? _authority;
    private KubeletApi? _administrator;

    /// <summary>Why nothing can run here; null: it can.</summary>
    public string? CannotRun { get; } = ClusterFixture.WhyNot();

    public Instance Instance => _instance ?? throw new InvalidOperationException(CannotRun);

    /// <summary>The page of manifests.</summary>
    public ManifestPage Page { get; } = new();

    /// <summary>A port that anybody may read.</summary>
    public int ReadOnlyPort { get; } = Loopback.FreePort();

    /// <summary>The kubelet's API as somebody of system:masters.</summary>
    public KubeletApi Administrator => _administrator ??= As("CN=admin, O=system:masters");

    /// <summary>The kubelet's API as a user; null: as nobody.</summary>
    public KubeletApi As(string? subject) => KubeletApi.As(Instance, _authority!, subject);

    public async ValueTask InitializeAsync()
    {
        if (CannotRun is not null)
        {
            return;
        }

        // Rarely looked at unasked: what happens in the tests happens by events.
        var configuration = """
            apiVersion: kubelet.config.k8s.io/v1beta1
            kind: KubeletConfiguration
            fileCheckFrequency: 1h
            httpCheckFrequency: 500ms
            evictionHard: {memory.available: 20Mi}
            imageGCHighThresholdPercent: 100
            """;
        _instance = await Instance.StartCommandAsync(
            i =>
            {
                var authorities = Path.Combine(i.Root, "clients.crt");
                var file = Path.Combine(i.Root, "standalone.yaml");
                _authority = KubeletApi.NewAuthority(authorities);
                File.WriteAllText(file, configuration);
                return
                [
                    "kubelet", "--config", file, "--client-ca-file", authorities, "--read-only-port", $"{ReadOnlyPort}",
                    "--manifest-url", Page.Url, "--manifest-url-header", $"X-Pass:{ManifestPage.Pass}", "--static-pod-objects",
                ];
            });
        await ClusterFixture.LoadImagesAsync(_instance);
    }

    public async ValueTask DisposeAsync()
    {
        _administrator?.Dispose();
        await (_instance?.DisposeAsync() ?? ValueTask.CompletedTask);
        _authority?.Dispose();
        Page.Dispose();
    }
}
