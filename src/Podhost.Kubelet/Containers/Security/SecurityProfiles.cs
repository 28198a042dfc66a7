using k8s.Models;
using Podhost.Cri.V1;

namespace Podhost.Kubelet.Containers.Security;

/// <summary>Seccomp and AppArmor profiles as CRI names them.</summary>
internal static class SecurityProfiles
{
    /// <summary>A seccomp profile; a Localhost one becomes an absolute path.</summary>
    /// <exception cref="ContainerConfigException">A Localhost profile without a name, or with one that leaves the directory.</exception>
    public static SecurityProfile Seccomp(V1SeccompProfile? profile, ContainerConfigOptions options) => profile?.Type switch
    {
        "RuntimeDefault" => new SecurityProfile { ProfileType = SecurityProfile.Types.ProfileType.RuntimeDefault },
        "Localhost" => new SecurityProfile
        {
            ProfileType = SecurityProfile.Types.ProfileType.Localhost,
            LocalhostRef = LocalhostPath(profile.LocalhostProfile, options.SeccompProfileRoot),
        },
        null when options.SeccompDefault => new SecurityProfile { ProfileType = SecurityProfile.Types.ProfileType.RuntimeDefault },
        _ => new SecurityProfile { ProfileType = SecurityProfile.Types.ProfileType.Unconfined },
    };

    /// <summary>An AppArmor profile, or null where none is asked for and the runtime decides.</summary>
    public static SecurityProfile? AppArmor(V1AppArmorProfile? profile) => profile?.Type switch
    {
        "RuntimeDefault" => new SecurityProfile { ProfileType = SecurityProfile.Types.ProfileType.RuntimeDefault },
        "Localhost" => new SecurityProfile { ProfileType = SecurityProfile.Types.ProfileType.Localhost, LocalhostRef = profile.LocalhostProfile ?? "" },
        "Unconfined" => new SecurityProfile { ProfileType = SecurityProfile.Types.ProfileType.Unconfined },
        _ => null,
    };

    private static string LocalhostPath(string? name, string root)
    {
        if (string.IsNullOrEmpty(name))
        {
            throw Fail("localhostProfile must be set if seccompProfile type is Localhost");
        }

        if (name.StartsWith('/') || name.Split('/').Contains(".."))
        {
            throw Fail($"seccompProfile.localhostProfile \"{name}\" must be a path below the seccomp directory");
        }

        return Path.Combine(root, name);
    }

    private static ContainerConfigException Fail(string message) => new(ContainerConfigReasons.CreateContainerConfigError, message);
}
