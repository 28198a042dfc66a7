using Podhost.Cri.Services;
using Podhost.Kubelet.Pods;
using Podhost.Kubelet.Probes;
using Podhost.Kubelet.Server.Metrics;

namespace Podhost.Kubelet.Server;

/// <summary>What the kubelet's API serves.</summary>
public sealed record KubeletServerServices
{
    /// <summary>The pods.</summary>
    public required IPodDirectory Pods { get; init; }

    /// <summary>The container runtime: sessions and statistics.</summary>
    public required IRuntimeService Runtime { get; init; }

    /// <summary>The runtime's images: where they are; null: /stats/summary does not tell.</summary>
    public IImageService? Images { get; init; }

    /// <summary>True where the runtime is a part of this process: what it uses is what the kubelet uses.</summary>
    public bool RuntimeIsHere { get; init; }

    /// <summary>The probes, for /metrics/probes; null where there are none.</summary>
    public ProbeManager? Probes { get; init; }

    /// <summary>Cgroups, for /metrics/cadvisor; null: it is not served.</summary>
    public CadvisorSource? Cadvisor { get; init; }

    /// <summary>Further series for /metrics, in Prometheus' text format with a newline at the end of each line; null for none.</summary>
    public Func<string>? Metrics { get; init; }
}
