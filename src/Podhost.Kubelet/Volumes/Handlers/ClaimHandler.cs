using k8s.Models;
using Podhost.Api.Storage;
using Podhost.Kubelet.Sources;
using Podhost.Linux.Mounts;
using Podhost.Linux.Native;
using Podhost.Linux.Paths;

namespace Podhost.Kubelet.Volumes.Handlers;

/// <summary>
/// persistentVolumeClaim and ephemeral: the hostPath or local volume that the claim is bound to, bound into the pod's directory, so that it is found
/// there after a restart and goes with the pod. Source: upstream's local and hostPath plugins.
/// </summary>
internal sealed class ClaimHandler(IObjectSource objects, IMounter mounter) : IVolumeHandler
{
    /// <summary>Name of the directory of such volumes.</summary>
    public const string Plugin = "kubernetes.io~local-volume";

    public bool IsReadOnly => false;

    public bool Follows => false;

    public bool Handles(V1Volume volume) => volume.PersistentVolumeClaim is not null || volume.Ephemeral is not null;

    public async Task<DateTimeOffset?> SetUpAsync(VolumeContext context, CancellationToken cancellationToken)
    {
        var volume = await BoundVolumeAsync(context, cancellationToken).ConfigureAwait(false);
        var path = Source(volume);
        var kind = PathStatus.Read(path)?.Kind ?? throw new VolumeSetUpException($"path \"{path}\" of PersistentVolume \"{volume.Metadata.Name}\" does not exist");
        if (PathStatus.Read(context.Path, follow: false)?.IsMountRoot != true)
        {
            Bind(path, context.Path, kind);
        }

        // As upstream: a hostPath belongs to the node, whatever the pod's group is.
        if (volume.Spec.Local is not null && context.FsGroup is { } group && kind == PathKind.Directory)
        {
            GiveTo(group, context, context.Volume.PersistentVolumeClaim?.ReadOnlyProperty == true);
        }

        return null;
    }

    private async Task<V1PersistentVolume> BoundVolumeAsync(VolumeContext context, CancellationToken cancellationToken)
    {
        var name = PodClaims.NameOf(context.Pod, context.Volume)!;
        var what = $"error processing PVC {context.Namespace}/{name}";
        var (claim, volume) = await objects.GetClaimAsync(context.Namespace, name, cancellationToken).ConfigureAwait(false);
        if (claim is null)
        {
            throw new VolumeSetUpException($"{what}: persistentvolumeclaim \"{name}\" not found");
        }

        if (context.Volume.Ephemeral is not null && !PodClaims.IsOwned(claim, context.Pod))
        {
            throw new VolumeSetUpException($"{what}: PVC {context.Namespace}/{name} was not created for pod {context.Namespace}/{context.Pod.Metadata.Name} (pod is not owner)");
        }

        if (claim.Status?.Phase != "Bound" || volume is null)
        {
            throw new VolumeSetUpException($"{what}: PVC is not bound");
        }

        return volume.Spec.ClaimRef?.Uid == claim.Metadata.Uid ? volume : throw new VolumeSetUpException(
            $"{what}: PV {volume.Metadata.Name} spec.claimRef.uid {volume.Spec.ClaimRef?.Uid} does not match PVC uid {claim.Metadata.Uid}");
    }

    private static string Source(V1PersistentVolume volume)
    {
        if (volume.Spec.VolumeMode == "Block")
        {
            throw new VolumeSetUpException("volumeMode Block is not supported by this node");
        }

        if (volume.Spec.HostPath is { } hostPath)
        {
            HostPathHandler.Check(hostPath.Path, hostPath.Type ?? "");
            return hostPath.Path;
        }

        return volume.Spec.Local?.Path
            ?? throw new VolumeSetUpException($"PersistentVolume \"{volume.Metadata.Name}\": only hostPath and local volumes are supported by this node");
    }

    private void Bind(string source, string target, PathKind kind)
    {
        if (kind == PathKind.Directory)
        {
            Directory.CreateDirectory(target);
        }
        else
        {
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            using (new FileStream(target, FileMode.OpenOrCreate, FileAccess.Write))
            {
            }
        }

        try
        {
            // A slave: what is unmounted below it when the pod goes stays mounted where it came from.
            mounter.Bind(source, target, recursive: false);
            mounter.SetPropagation(target, MountFlags.Slave);
        }
        catch (LinuxException e)
        {
            throw new VolumeSetUpException($"mount of \"{source}\" failed: {e.Message}");
        }
    }

    private static void GiveTo(long group, VolumeContext context, bool readOnly)
    {
        if (context.Pod.Spec.SecurityContext?.FsGroupChangePolicy == "OnRootMismatch"
            && PathStatus.Read(context.Path) is { } root && root.Gid == group && VolumeOwnership.ModeOf(root.Mode, isDirectory: true, readOnly) == root.Mode)
        {
            return;
        }

        // Entries first, the root last: after a crash in between the root does not match yet. Links are left alone and never followed: whoever
        // wrote into the volume before could have made them.
        var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = false };
        foreach (var entry in Directory.EnumerateFileSystemEntries(context.Path, "*", options))
        {
            VolumeOwnership.Apply(entry, group, readOnly);
        }

        VolumeOwnership.Apply(context.Path, group, readOnly);
    }
}
