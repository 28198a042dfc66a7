using k8s.Models;
using Podhost.Api.Storage;
using Podhost.Cri.V1;
using Podhost.Kubelet.Node;
using Podhost.Kubelet.Sources;
using Podhost.Linux.Mounts;
using Podhost.Linux.Native;
using Podhost.Linux.Paths;

namespace Podhost.Kubelet.Volumes.Handlers;

/// <summary>
/// persistentVolumeClaim and ephemeral: the hostPath or local volume that the claim is bound to, bound into the pod's directory, so that it is found
/// there after a restart and goes with the pod. A local volume may be a block device too: as such (volumeMode Block), or by its file system.
/// Source: upstream's local and hostPath plugins.
/// </summary>
internal sealed class ClaimHandler(IObjectSource objects, IMounter mounter, PodPaths paths) : IVolumeHandler
{
    /// <summary>Name of the directory of such volumes.</summary>
    public const string Plugin = "kubernetes.io~local-volume";

    private const string Block = "Block";

    private readonly DeviceFileSystems _fileSystems = new(mounter);

    public bool IsReadOnly => false;

    public bool Follows => false;

    public bool Handles(V1Volume volume) => volume.PersistentVolumeClaim is not null || volume.Ephemeral is not null;

    public async Task<DateTimeOffset?> SetUpAsync(VolumeContext context, CancellationToken cancellationToken)
    {
        var volume = await BoundVolumeAsync(context, cancellationToken).ConfigureAwait(false);
        CheckMode(context, volume);
        await CheckNodeAsync(context, volume, cancellationToken).ConfigureAwait(false);
        var path = Source(volume);
        var kind = PathStatus.Read(path)?.Kind ?? throw new VolumeSetUpException($"path \"{path}\" of PersistentVolume \"{volume.Metadata.Name}\" does not exist");
        if (volume.Spec.VolumeMode == Block)
        {
            Link(path, kind, paths.VolumeDevice(context.Pod.Metadata.Uid, Plugin, context.Volume.Name));
            return null;
        }

        if (PathStatus.Read(context.Path, follow: false)?.IsMountRoot != true)
        {
            await ShowAsync(volume, path, kind, context.Path, cancellationToken).ConfigureAwait(false);
        }

        // As upstream: a hostPath belongs to the node, whatever the pod's group is.
        if (volume.Spec.Local is not null && context.FsGroup is { } group && PathStatus.Read(context.Path)?.Kind == PathKind.Directory)
        {
            GiveTo(group, context, context.Volume.PersistentVolumeClaim?.ReadOnlyProperty == true);
        }

        return null;
    }

    /// <summary>The block device of a container.</summary>
    /// <exception cref="VolumeException">It is not set up.</exception>
    public static Device DeviceOf(PodPaths paths, V1Pod pod, V1VolumeDevice device)
    {
        var link = new FileInfo(paths.VolumeDevice(pod.Metadata.Uid, Plugin, device.Name));
        var readOnly = pod.Spec.Volumes?.FirstOrDefault(v => v.Name == device.Name)?.PersistentVolumeClaim?.ReadOnlyProperty == true;
        return link.LinkTarget is { } target
            ? new Device { HostPath = target, ContainerPath = device.DevicePath, Permissions = readOnly ? "r" : "mrw" }
            : throw new VolumeException(device.Name, $"cannot find volume \"{device.Name}\" to pass into container as a device");
    }

    // Upstream's words, which its tests look for.
    private static void CheckMode(VolumeContext context, V1PersistentVolume volume)
    {
        var name = context.Volume.Name;
        var fault = volume.Spec.VolumeMode == Block
            ? UsedVolumes.IsMounted(context.Pod.Spec, name) ? "Block, but is specified in volumeMounts" : null
            : UsedVolumes.IsDevice(context.Pod.Spec, name) ? "Filesystem, but is specified in volumeDevices" : null;
        if (fault is not null)
        {
            throw new VolumeSetUpException($"volume {name} has volumeMode {fault}");
        }
    }

    // Whoever named the node of a pod may not have asked for the volume's. What is set up already stays, as upstream.
    private async Task CheckNodeAsync(VolumeContext context, V1PersistentVolume volume, CancellationToken cancellationToken)
    {
        if (volume.Spec.NodeAffinity?.Required is { } required
            && PathStatus.Read(context.Path, follow: false)?.IsMountRoot != true
            && await objects.GetNodeAsync(cancellationToken).ConfigureAwait(false) is { } node
            && required.NodeSelectorTerms?.Any(t => NodeTerms.Matches(t, node)) != true)
        {
            throw new VolumeSetUpException("no matching NodeSelectorTerms", "MountVolume.NodeAffinity check failed");
        }
    }

    private static void Link(string path, PathKind kind, string link)
    {
        if (kind != PathKind.BlockDevice)
        {
            throw new VolumeSetUpException($"path \"{path}\" is no block device");
        }

        var device = new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;
        if (new FileInfo(link).LinkTarget != device)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(link)!);
            File.Delete(link);
            File.CreateSymbolicLink(link, device);
        }
    }

    private Task ShowAsync(V1PersistentVolume volume, string source, PathKind kind, string target, CancellationToken cancellationToken)
    {
        if (kind == PathKind.BlockDevice && volume.Spec.Local is { } local)
        {
            return _fileSystems.MountAsync(source, target, local.FsType, cancellationToken);
        }

        Bind(source, target, kind);
        return Task.CompletedTask;
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
        if (volume.Spec.HostPath is { } hostPath)
        {
            if (volume.Spec.VolumeMode == Block)
            {
                throw new VolumeSetUpException("a hostPath volume cannot be of volumeMode Block");
            }

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
