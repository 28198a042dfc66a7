using k8s.Models;
using Podhost.Cri.V1;
using Podhost.Kubelet.Volumes;

namespace Podhost.Kubelet.Containers;

/// <summary>Turns a pod's spec into CRI configurations: env, command, mounts, security context, resources, labels and annotations.</summary>
/// <remarks>Pure apart from reading referenced objects and resolved volumes. Labels and annotations are upstream's (io.kubernetes.pod.name, …).</remarks>
public interface IContainerConfigFactory
{
    /// <summary>The sandbox of a pod.</summary>
    /// <exception cref="ContainerConfigException">The spec cannot be turned into a sandbox here (for example an unsafe sysctl).</exception>
    Task<PodSandboxConfig> CreateSandboxConfigAsync(V1Pod pod, uint attempt, CancellationToken cancellationToken);

    /// <summary>One container of a pod.</summary>
    /// <exception cref="ContainerConfigException">A reference is missing or a rule is broken; reason CreateContainerConfigError.</exception>
    Task<ContainerConfig> CreateContainerConfigAsync(ContainerConfigRequest request, CancellationToken cancellationToken);
}

/// <summary>What a container's configuration is made from.</summary>
public sealed record ContainerConfigRequest
{
    /// <summary>The pod, as admitted.</summary>
    public required V1Pod Pod { get; init; }

    /// <summary>The container (an init or ephemeral one in the shape of an ordinary one).</summary>
    public required V1Container Container { get; init; }

    /// <summary>Which list it comes from.</summary>
    public required ContainerKind Kind { get; init; }

    /// <summary>For an ephemeral container, the container whose PID namespace it joins.</summary>
    public string? TargetContainerId { get; init; }

    /// <summary>0 for the first instance, then counted up; annotation io.kubernetes.container.restartCount.</summary>
    public required uint Attempt { get; init; }

    /// <summary>IPs of the pod, primary first; the node's where it uses the host network.</summary>
    public required IReadOnlyList<string> PodIPs { get; init; }

    /// <summary>Image reference as the runtime resolved it (image ID).</summary>
    public required string ImageRef { get; init; }

    /// <summary>Status of that image: user, for runAsNonRoot.</summary>
    public required Image Image { get; init; }

    /// <summary>The sandbox's configuration.</summary>
    public required PodSandboxConfig Sandbox { get; init; }

    /// <summary>What its mounts depend on besides its volumes.</summary>
    public MountSupport Mounts { get; init; } = MountSupport.None;
}

/// <summary>The list of a pod's spec that a container comes from.</summary>
public enum ContainerKind
{
    /// <summary>spec.initContainers, sidecars included.</summary>
    Init,

    /// <summary>spec.containers.</summary>
    Main,

    /// <summary>spec.ephemeralContainers.</summary>
    Ephemeral,
}

/// <summary>A container that cannot be configured now; shown as the waiting reason and retried.</summary>
/// <param name="reason">Waiting reason, for example CreateContainerConfigError.</param>
/// <param name="message">Message as upstream phrases it, for example <c>secret "x" not found</c>.</param>
public sealed class ContainerConfigException(string reason, string message) : Exception(message)
{
    /// <summary>Waiting reason.</summary>
    public string Reason { get; } = reason;
}
