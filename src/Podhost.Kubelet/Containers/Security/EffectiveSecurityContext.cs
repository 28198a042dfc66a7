using k8s.Models;

namespace Podhost.Kubelet.Containers.Security;

/// <summary>The security context of a container: its own fields, and the pod's where it has none.</summary>
internal static class EffectiveSecurityContext
{
    public static V1SecurityContext Of(V1Pod pod, V1Container container)
    {
        var own = container.SecurityContext ?? new V1SecurityContext();
        var ofPod = pod.Spec.SecurityContext;
        return new V1SecurityContext
        {
            AllowPrivilegeEscalation = own.AllowPrivilegeEscalation,
            AppArmorProfile = own.AppArmorProfile ?? ofPod?.AppArmorProfile,
            Capabilities = own.Capabilities,
            Privileged = own.Privileged,
            ProcMount = own.ProcMount,
            ReadOnlyRootFilesystem = own.ReadOnlyRootFilesystem,
            RunAsGroup = own.RunAsGroup ?? ofPod?.RunAsGroup,
            RunAsNonRoot = own.RunAsNonRoot ?? ofPod?.RunAsNonRoot,
            RunAsUser = own.RunAsUser ?? ofPod?.RunAsUser,
            SeLinuxOptions = own.SeLinuxOptions ?? ofPod?.SeLinuxOptions,
            SeccompProfile = own.SeccompProfile ?? ofPod?.SeccompProfile,
        };
    }

    /// <summary>runAsNonRoot, checked against the image where the spec names no user.</summary>
    /// <param name="context">The effective context.</param>
    /// <param name="uid">The image's numeric user, or null.</param>
    /// <param name="username">The image's user by name, or empty.</param>
    /// <param name="pod">For the message.</param>
    /// <param name="container">For the message.</param>
    /// <exception cref="ContainerConfigException">The container would run, or may run, as root.</exception>
    public static void VerifyNonRoot(V1SecurityContext context, long? uid, string username, V1Pod pod, V1Container container)
    {
        if (context.RunAsNonRoot != true)
        {
            return;
        }

        var where = $"(pod: \"{PodNames.Format(pod)}\", container: {container.Name})";
        var problem = context.RunAsUser switch
        {
            0 => $"container's runAsUser breaks non-root policy {where}",
            not null => null,
            null when uid == 0 || (uid is null && username.Length == 0) => $"container has runAsNonRoot and image will run as root {where}",
            null when uid is null =>
                $"container has runAsNonRoot and image has non-numeric user ({username}), cannot verify user is non-root {where}",
            _ => null,
        };
        if (problem is not null)
        {
            throw new ContainerConfigException(ContainerConfigReasons.CreateContainerConfigError, problem);
        }
    }
}
