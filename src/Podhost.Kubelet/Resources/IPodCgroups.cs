using k8s.Models;

namespace Podhost.Kubelet.Resources;

/// <summary>The cgroup tree of pods: <c>kubepods/{burstable,besteffort}/pod&lt;uid&gt;</c> below the configured root. Every member is idempotent.</summary>
public interface IPodCgroups
{
    /// <summary>The cgroup of a pod as CRI's <c>cgroup_parent</c>, for example <c>/kubepods/burstable/pod3f…</c>; pure.</summary>
    string ParentOf(V1Pod pod);

    /// <summary>Creates the root and QoS cgroups and enforces the node's allocatable resources on them. Once at the start, and when allocatable changes.</summary>
    /// <exception cref="IOException">The kernel refused; the message names file and value.</exception>
    Task EnsureRootAsync(CancellationToken cancellationToken);

    /// <summary>Creates the pod's cgroup or brings its limits up to date with the spec (also after a resize), and the weight of its QoS class.</summary>
    /// <exception cref="IOException">The kernel refused; the message names file and value.</exception>
    Task EnsureAsync(V1Pod pod, CancellationToken cancellationToken);

    /// <summary>Brings what the spec has more of than the pod's cgroup, and takes nothing away: the first step of a resize.</summary>
    /// <exception cref="IOException">The kernel refused; the message names file and value.</exception>
    Task WidenAsync(V1Pod pod, CancellationToken cancellationToken);

    /// <summary>Kills what is left in the pod's cgroup and removes it with everything below. Nothing there is success.</summary>
    /// <exception cref="IOException">A process did not die; call again.</exception>
    Task RemoveAsync(string podUid, CancellationToken cancellationToken);

    /// <summary>UIDs of the pods that have a cgroup, for cleaning after a restart.</summary>
    IReadOnlyCollection<string> PodsInCgroups();
}
