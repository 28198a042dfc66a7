using Grpc.Core;
using Podhost.Cri.V1;

namespace Podhost.Runtime.Spec;

/// <summary>The AppArmor profile of a container. Pure.</summary>
internal static class AppArmorProfiles
{
    /// <summary>How profiles of the node are named in the deprecated field, and by some clients in the new one too.</summary>
    private const string LocalhostPrefix = "localhost/";

    /// <summary>
    /// The profile of a container: the node's that is asked for, or the default one where none is, but for privileged containers (as containerd);
    /// null for none. FailedPrecondition where one is asked for and the kernel has no AppArmor.
    /// </summary>
    /// <param name="context">CRI: the field apparmor, or where that is not given the deprecated apparmor_profile.</param>
    /// <param name="hasAppArmor">The kernel enforces profiles.</param>
    /// <param name="byDefault">The default profile; null where none is loaded.</param>
    internal static string? Choose(LinuxContainerSecurityContext? context, bool hasAppArmor, string? byDefault)
    {
        var (type, name) = Asked(context);
        return type switch
        {
            SecurityProfile.Types.ProfileType.Unconfined => null,
            SecurityProfile.Types.ProfileType.RuntimeDefault => context?.Privileged == true ? null : byDefault,
            _ when hasAppArmor => name,
            _ => throw new RpcException(new Status(StatusCode.FailedPrecondition, $"appArmorProfile {name}: the kernel has no AppArmor")),
        };
    }

    /// <summary>The name of a profile of the node that is asked for; null where none is.</summary>
    internal static string? OfNode(LinuxContainerSecurityContext? context) => Asked(context).Name;

    private static (SecurityProfile.Types.ProfileType Type, string? Name) Asked(LinuxContainerSecurityContext? context) => context?.Apparmor is { } profile
        ? (profile.ProfileType, profile.ProfileType == SecurityProfile.Types.ProfileType.Localhost ? WithoutPrefix(profile.LocalhostRef) : null)
        : OfDeprecatedField(Deprecated(context));

    /// <summary>The names in the kernel's list of loaded profiles: a line each, with the mode in brackets.</summary>
    /// <param name="text">/sys/kernel/security/apparmor/profiles.</param>
    internal static IEnumerable<string> Loaded(string text) =>
        text.Split('\n').Select(line => line.LastIndexOf(" (", StringComparison.Ordinal) is > 0 and var end ? line[..end] : line).Where(name => name.Length > 0);

    private static (SecurityProfile.Types.ProfileType Type, string? Name) OfDeprecatedField(string text) => text switch
    {
        "" or "runtime/default" => (SecurityProfile.Types.ProfileType.RuntimeDefault, null),
        "unconfined" => (SecurityProfile.Types.ProfileType.Unconfined, null),
        _ when text.StartsWith(LocalhostPrefix, StringComparison.Ordinal) => (SecurityProfile.Types.ProfileType.Localhost, WithoutPrefix(text)),
        _ => throw new RpcException(new Status(StatusCode.InvalidArgument, $"apparmor_profile {text}: runtime/default, unconfined or localhost/NAME")),
    };

    private static string WithoutPrefix(string text) => text.StartsWith(LocalhostPrefix, StringComparison.Ordinal) ? text[LocalhostPrefix.Length..] : text;

    private static string Deprecated(LinuxContainerSecurityContext? context)
    {
#pragma warning disable CS0612 // Deprecated in CRI, and still sent by clients that know nothing else.
        return context?.ApparmorProfile ?? string.Empty;
#pragma warning restore CS0612
    }
}
