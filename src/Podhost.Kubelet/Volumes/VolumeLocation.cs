using k8s.Models;
using Podhost.Kubelet.Volumes.Handlers;

namespace Podhost.Kubelet.Volumes;

/// <summary>Where a volume is on the node. Pure.</summary>
internal static class VolumeLocation
{
    /// <summary>The directory that containers get, or null where the kind has none (an image) or is not supported.</summary>
    public static string? Of(PodPaths paths, string podUid, V1Volume volume) =>
        volume.HostPath is { } hostPath ? hostPath.Path : Plugin(volume) is { } plugin ? paths.Volume(podUid, plugin, volume.Name) : null;

    /// <summary>Upstream's directory name of a kind that has a directory of its own.</summary>
    private static string? Plugin(V1Volume volume) => volume switch
    {
        { EmptyDir: not null } => "kubernetes.io~empty-dir",
        { ConfigMap: not null } => "kubernetes.io~configmap",
        { Secret: not null } => "kubernetes.io~secret",
        { DownwardAPI: not null } => "kubernetes.io~downward-api",
        { Projected: not null } => "kubernetes.io~projected",
        { PersistentVolumeClaim: not null } or { Ephemeral: not null } => ClaimHandler.Plugin,
        _ => null,
    };
}
