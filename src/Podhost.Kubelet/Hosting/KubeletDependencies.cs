using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Cri.Services;
using Podhost.Kubelet.Containers;
using Podhost.Kubelet.Events;
using Podhost.Kubelet.Node;
using Podhost.Kubelet.Probes;
using Podhost.Kubelet.Resources;
using Podhost.Kubelet.Sources;
using Podhost.Kubelet.Volumes;
using Podhost.Linux.Cgroups;

namespace Podhost.Kubelet.Hosting;

/// <summary>What a kubelet is built from. Whoever builds a part also ends it.</summary>
public sealed record KubeletDependencies
{
    /// <summary>The API server with the identity <c>system:node:&lt;name&gt;</c>; null: standalone, static pods only.</summary>
    public IApiClient? Client { get; init; }

    /// <summary>Pods with <c>spec.nodeName=&lt;node&gt;</c>, run by whoever built it; null with <see cref="Client"/>.</summary>
    public IInformer<V1Pod>? Pods { get; init; }

    /// <summary>The container runtime.</summary>
    public required IRuntimeService Runtime { get; init; }

    /// <summary>Its images.</summary>
    public required IImageService Images { get; init; }

    /// <summary>The machine.</summary>
    public required NodeInventory Inventory { get; init; }

    /// <summary>Sandbox and container configurations.</summary>
    public required IContainerConfigFactory Configs { get; init; }

    /// <summary>Volumes.</summary>
    public required IVolumeManager Volumes { get; init; }

    /// <summary>Cgroups of pods.</summary>
    public required IPodCgroups Cgroups { get; init; }

    /// <summary>The cgroup of all pods, for what they use together; null: it is not known.</summary>
    public (CgroupTree Tree, string Path)? PodsCgroup { get; init; }

    /// <summary>Probes; their reports come to <see cref="KubeletHost.Report"/>.</summary>
    public required IProbeManager Probes { get; init; }

    /// <summary>Lifecycle hooks.</summary>
    public required ILifecycleHookRunner Hooks { get; init; }

    /// <summary>Objects that pods refer to.</summary>
    public required IObjectSource Objects { get; init; }

    /// <summary>Events.</summary>
    public required IEventRecorder Events { get; init; }

    /// <summary>Clock of all decisions and timers.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>Logs.</summary>
    public required ILoggerFactory Loggers { get; init; }
}
