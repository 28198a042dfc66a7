using Google.Protobuf.Collections;
using k8s.Models;
using Podhost.Cri.V1;
using Podhost.Kubelet.UserNamespaces;

namespace Podhost.Kubelet.Containers.Security;

/// <summary>From the effective security context to CRI's.</summary>
internal static class CriSecurityContext
{
    /// <summary>The security context of a container.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="context">The effective context.</param>
    /// <param name="image">For the user, where the spec names none.</param>
    /// <param name="targetContainerId">For an ephemeral container.</param>
    /// <param name="users">The users of a pod with hostUsers false; null for the machine's own.</param>
    /// <param name="options">The node's options.</param>
    public static LinuxContainerSecurityContext OfContainer(
        V1Pod pod, V1SecurityContext context, Image image, string? targetContainerId, UserRange? users, ContainerConfigOptions options)
    {
        var result = new LinuxContainerSecurityContext
        {
            Privileged = context.Privileged == true,
            ReadonlyRootfs = context.ReadOnlyRootFilesystem == true,
            NoNewPrivs = context.AllowPrivilegeEscalation == false,
            NamespaceOptions = NamespaceOptions.Of(pod.Spec, users, targetContainerId),
            Seccomp = SecurityProfiles.Seccomp(context.SeccompProfile, options),
            Apparmor = SecurityProfiles.AppArmor(context.AppArmorProfile),
            SelinuxOptions = SeLinux(context.SeLinuxOptions),
            // An image without a user means root. Said aloud: a runtime takes a group only beside a user.
            RunAsUser = Number(context.RunAsUser ?? image.Uid?.Value ?? (image.Username.Length == 0 ? 0 : null)),
            RunAsGroup = Number(context.RunAsGroup),
        };
        if (context.RunAsUser is null)
        {
            result.RunAsUsername = image.Username;
        }

        if (context.Capabilities is { } capabilities)
        {
            result.Capabilities = new Capability();
            result.Capabilities.AddCapabilities.AddRange(capabilities.Add ?? []);
            result.Capabilities.DropCapabilities.AddRange(capabilities.Drop ?? []);
        }

        if (!ProcMountPaths.IsUnmasked(context.ProcMount))
        {
            result.MaskedPaths.AddRange(ProcMountPaths.Masked);
            result.ReadonlyPaths.AddRange(ProcMountPaths.ReadOnly);
        }

        AddGroups(result.SupplementalGroups, pod.Spec.SecurityContext);
        result.SupplementalGroupsPolicy = GroupsPolicy(pod.Spec.SecurityContext);
        return result;
    }

    /// <summary>The security context of the infra container.</summary>
    public static LinuxSandboxSecurityContext OfSandbox(V1Pod pod, UserRange? users = null)
    {
        var context = pod.Spec.SecurityContext;
        var result = new LinuxSandboxSecurityContext
        {
            Privileged = Containers(pod.Spec).Any(c => c?.Privileged == true),
            NamespaceOptions = NamespaceOptions.Of(pod.Spec, users),

            // pause needs no more than the default profile allows, whatever the containers run under.
            Seccomp = new SecurityProfile { ProfileType = SecurityProfile.Types.ProfileType.RuntimeDefault },
            SelinuxOptions = SeLinux(context?.SeLinuxOptions),
            RunAsUser = Number(context?.RunAsUser),
            RunAsGroup = Number(context?.RunAsGroup),
            SupplementalGroupsPolicy = GroupsPolicy(context),
        };
        AddGroups(result.SupplementalGroups, context);
        return result;
    }

    private static IEnumerable<V1SecurityContext?> Containers(V1PodSpec spec) =>
        (spec.Containers ?? []).Concat(spec.InitContainers ?? []).Select(c => c.SecurityContext)
            .Concat((spec.EphemeralContainers ?? []).Select(c => c.SecurityContext));

    private static void AddGroups(RepeatedField<long> groups, V1PodSecurityContext? context)
    {
        if (context?.FsGroup is { } fsGroup)
        {
            groups.Add(fsGroup);
        }

        groups.AddRange((context?.SupplementalGroups ?? []).OfType<long>());
    }

    private static SupplementalGroupsPolicy GroupsPolicy(V1PodSecurityContext? context) =>
        context?.SupplementalGroupsPolicy == "Strict" ? SupplementalGroupsPolicy.Strict : SupplementalGroupsPolicy.Merge;

    private static SELinuxOption? SeLinux(V1SELinuxOptions? options) => options is null ? null : new SELinuxOption
    {
        User = options.User ?? "",
        Role = options.Role ?? "",
        Type = options.Type ?? "",
        Level = options.Level ?? "",
    };

    private static Int64Value? Number(long? value) => value is { } number ? new Int64Value { Value = number } : null;
}
