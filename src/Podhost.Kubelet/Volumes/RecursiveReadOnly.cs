using k8s.Models;
using Podhost.Kubelet.Volumes.Handlers;

namespace Podhost.Kubelet.Volumes;

/// <summary>Whether a mount is read-only together with the mounts below it. Pure.</summary>
internal static class RecursiveReadOnly
{
    /// <summary>What is asked for, as far as the runtime can.</summary>
    /// <exception cref="VolumeSetUpException">It must be so and cannot.</exception>
    public static bool Of(V1VolumeMount mount, bool supported) => mount.RecursiveReadOnly switch
    {
        null or "Disabled" => false,
        _ when mount.ReadOnlyProperty != true =>
            throw new VolumeSetUpException($"volume \"{mount.Name}\" requested recursive read-only mode, but it is not read-only"),
        _ when mount.MountPropagation is not (null or "None") => throw new VolumeSetUpException(
            $"volume \"{mount.Name}\" requested recursive read-only mode, but it is not compatible with propagation \"{mount.MountPropagation}\""),
        "IfPossible" => supported,
        "Enabled" when supported => true,
        "Enabled" => throw new VolumeSetUpException($"volume \"{mount.Name}\" requested recursive read-only mode, but it is not supported by the runtime"),
        var mode => throw new VolumeSetUpException($"unknown recursive read-only mode \"{mode}\""),
    };

    /// <summary>As a container's status tells it: null where the mount is writable.</summary>
    public static string? Shown(V1VolumeMount mount, bool supported) => mount.ReadOnlyProperty != true ? null
        : supported && mount.RecursiveReadOnly is "IfPossible" or "Enabled" && mount.MountPropagation is null or "None" ? "Enabled" : "Disabled";
}
