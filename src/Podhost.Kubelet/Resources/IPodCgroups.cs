using k8s.Models;

namespace Podhost.Kubelet.Resources;

/// <summary>The cgroups of pods below <c>kubepods[/burstable|/besteffort]/pod&lt;uid&gt;</c>. Every member is idempotent.</summary>
public interface IPodCgroups
{
    /// <summary>Creates the pod's cgroup where it is missing and writes the values of its spec (again after a resize).</summary>
    /// <exception cref="IOException">The kernel refused; the pod loop tries again with back-off.</exception>
    Task EnsureAsync(V1Pod pod, CancellationToken cancellationToken);

    /// <summary>Removes the pod's cgroup of any QoS class. Only after all its processes are gone.</summary>
    /// <exception cref="IOException">Something lives in it still, or the kernel refused.</exception>
    Task RemoveAsync(string podUid, CancellationToken cancellationToken);

    /// <summary>UIDs of pods that have a cgroup, for cleaning after a restart.</summary>
    IReadOnlyCollection<string> PodsWithCgroups();
}
