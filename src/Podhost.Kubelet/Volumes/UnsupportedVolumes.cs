using k8s.Models;
using Podhost.Kubelet.Volumes.Handlers;

namespace Podhost.Kubelet.Volumes;

/// <summary>Volumes and parts of them that this node cannot provide.</summary>
internal static class UnsupportedVolumes
{
    /// <summary>Field path below the volume and message of each.</summary>
    public static IEnumerable<(string Field, string Message)> Find(V1Volume volume)
    {
        if (Kind(volume) is { } kind)
        {
            yield return (kind, $"{kind} volumes are not supported by this node");
        }

        if (volume.EmptyDir?.Medium is { Length: > 0 } medium and not "Memory" && !EmptyDirHandler.IsHugePages(medium))
        {
            yield return ("emptyDir.medium", $"medium {medium} is not supported by this node");
        }

        var index = 0;
        foreach (var source in volume.Projected?.Sources ?? [])
        {
            if (source is { ClusterTrustBundle: not null } or { PodCertificate: not null })
            {
                var name = source.ClusterTrustBundle is not null ? "clusterTrustBundle" : "podCertificate";
                yield return ($"projected.sources[{index}].{name}", $"{name} sources are not supported by this node");
            }

            index++;
        }
    }

    private static string? Kind(V1Volume volume) => volume switch
    {
        { AwsElasticBlockStore: not null } => "awsElasticBlockStore",
        { AzureDisk: not null } => "azureDisk",
        { AzureFile: not null } => "azureFile",
        { Cephfs: not null } => "cephfs",
        { Cinder: not null } => "cinder",
        { Csi: not null } => "csi",
        { Fc: not null } => "fc",
        { FlexVolume: not null } => "flexVolume",
        { Flocker: not null } => "flocker",
        { GcePersistentDisk: not null } => "gcePersistentDisk",
        { GitRepo: not null } => "gitRepo",
        { Glusterfs: not null } => "glusterfs",
        { Iscsi: not null } => "iscsi",
        { Nfs: not null } => "nfs",
        { PhotonPersistentDisk: not null } => "photonPersistentDisk",
        { PortworxVolume: not null } => "portworxVolume",
        { Quobyte: not null } => "quobyte",
        { Rbd: not null } => "rbd",
        { ScaleIO: not null } => "scaleIO",
        { Storageos: not null } => "storageos",
        { VsphereVolume: not null } => "vsphereVolume",
        _ => null,
    };
}
