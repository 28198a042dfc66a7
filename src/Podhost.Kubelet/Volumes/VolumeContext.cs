using k8s.Models;

namespace Podhost.Kubelet.Volumes;

/// <summary>One volume of one pod.</summary>
/// <param name="Pod">The pod, newest version.</param>
/// <param name="Volume">The volume.</param>
/// <param name="Path">Its directory on the node, where the kind has one of its own.</param>
internal sealed record VolumeContext(V1Pod Pod, V1Volume Volume, string Path)
{
    public string Namespace => Pod.Metadata.NamespaceProperty;

    public long? FsGroup => Pod.Spec.SecurityContext?.FsGroup;

    /// <summary>The one user that all containers run as, or null: files that only their owner may read can then be theirs.</summary>
    public long? CommonUser
    {
        get
        {
            var ofPod = Pod.Spec.SecurityContext?.RunAsUser;
            var users = (Pod.Spec.Containers ?? []).Concat(Pod.Spec.InitContainers ?? []).Select(c => c.SecurityContext?.RunAsUser ?? ofPod)
                .Concat((Pod.Spec.EphemeralContainers ?? []).Select(c => c.SecurityContext?.RunAsUser ?? ofPod))
                .Distinct().ToList();
            return users.Count == 1 ? users[0] : null;
        }
    }
}
