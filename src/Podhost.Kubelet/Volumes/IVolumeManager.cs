using k8s.Models;
using Podhost.Cri.V1;

namespace Podhost.Kubelet.Volumes;

/// <summary>All volumes of all pods below <c>&lt;root-dir&gt;/pods/&lt;uid&gt;/volumes</c>. Every member is idempotent and safe to call again after a crash.</summary>
public interface IVolumeManager
{
    /// <summary>Sets every volume of the pod up. Returns at once where all are up already.</summary>
    /// <exception cref="VolumeException">A volume cannot be set up now; it is tried again later.</exception>
    Task MountAsync(V1Pod pod, IReadOnlyList<string> podIPs, CancellationToken cancellationToken);

    /// <summary>The CRI mounts of a container's volumeMounts, with subPath resolved without escape; after <see cref="MountAsync"/>.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="container">The container.</param>
    /// <param name="env">The container's expanded environment, for subPathExpr.</param>
    /// <param name="runtime">What the runtime can do for it, and has.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="VolumeException">A mount cannot be resolved.</exception>
    Task<IReadOnlyList<Mount>> ResolveMountsAsync(
        V1Pod pod, V1Container container, IReadOnlyDictionary<string, string> env, MountSupport runtime, CancellationToken cancellationToken);

    /// <summary>The block devices of a container's volumeDevices; after <see cref="MountAsync"/>.</summary>
    /// <exception cref="VolumeException">A device is not there.</exception>
    IReadOnlyList<Device> ResolveDevices(V1Pod pod, V1Container container);

    /// <summary>Takes everything of a pod down and removes its directories. Only after all its containers are gone.</summary>
    Task UnmountAsync(string podUid, CancellationToken cancellationToken);

    /// <summary>UIDs of pods that have something on disk, for cleaning after a restart.</summary>
    IReadOnlyCollection<string> PodsOnDisk();
}

/// <summary>What mounts of a container depend on besides its volumes.</summary>
/// <param name="RecursiveReadOnly">The pod's runtime handler can make a mount read-only with all mounts below it.</param>
/// <param name="Images">The runtime's IDs of the images of volumes, by name of the volume.</param>
public sealed record MountSupport(bool RecursiveReadOnly, IReadOnlyDictionary<string, string> Images)
{
    /// <summary>A runtime that can do nothing more, and no images.</summary>
    public static MountSupport None { get; } = new(false, new Dictionary<string, string>());
}

/// <summary>A volume that cannot be mounted now.</summary>
/// <param name="volume">Name of the volume.</param>
/// <param name="message">Message as upstream phrases it: <c>MountVolume.SetUp failed for volume "x" : configmap "y" not found</c>.</param>
public sealed class VolumeException(string volume, string message) : Exception(message)
{
    /// <summary>Name of the volume.</summary>
    public string Volume { get; } = volume;
}
