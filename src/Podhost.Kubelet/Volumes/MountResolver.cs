using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Cri.V1;
using Podhost.Kubelet.Containers.Environment;
using Podhost.Kubelet.Volumes.Handlers;

namespace Podhost.Kubelet.Volumes;

/// <summary>CRI mounts of a container's volumeMounts.</summary>
internal sealed partial class MountResolver(
    PodPaths paths, SubPathBinder subPaths, IReadOnlyList<IVolumeHandler> handlers, ILogger logger)
{
    /// <summary>Whose mounts are resolved, and with what.</summary>
    internal sealed record Container(V1Pod Pod, V1Container Spec, IReadOnlyDictionary<string, string> Env, MountSupport Runtime);

    /// <summary>Resolves one.</summary>
    /// <exception cref="VolumeException">It cannot be resolved.</exception>
    public Mount Resolve(Container container, int index)
    {
        var mount = container.Spec.VolumeMounts[index];
        try
        {
            return Build(container, index);
        }
        catch (VolumeSetUpException e)
        {
            throw new VolumeException(mount.Name, e.Message);
        }
        catch (IOException e)
        {
            // The cause stays with the node: to the user it could tell about the node's files.
            LogSubPath(container.Pod.Metadata.Uid, container.Spec.Name, mount.Name, e);
            throw new VolumeException(mount.Name, $"failed to prepare subPath for volumeMount \"{mount.Name}\" of container \"{container.Spec.Name}\"");
        }
    }

    private Mount Build(Container container, int index)
    {
        var (pod, mount) = (container.Pod, container.Spec.VolumeMounts[index]);
        var volume = pod.Spec.Volumes?.FirstOrDefault(v => v.Name == mount.Name);
        var handler = volume is null ? null : handlers.FirstOrDefault(h => h.Handles(volume));
        if (volume is null || handler is null)
        {
            throw new VolumeSetUpException($"cannot find volume \"{mount.Name}\" to mount into container \"{container.Spec.Name}\"");
        }

        var subPath = SubPath(mount, container.Env);
        var result = new Mount
        {
            ContainerPath = mount.MountPath.StartsWith('/') ? mount.MountPath : "/" + mount.MountPath,
            Readonly = mount.ReadOnlyProperty == true || handler.IsReadOnly || volume.PersistentVolumeClaim?.ReadOnlyProperty == true,
            RecursiveReadOnly = RecursiveReadOnly.Of(mount, container.Runtime.RecursiveReadOnly),
            Propagation = Propagation(mount.MountPropagation),
        };
        if (volume.Image is { } image)
        {
            result.Image = new ImageSpec { Image = container.Runtime.Images.GetValueOrDefault(volume.Name) ?? image.Reference, UserSpecifiedImage = image.Reference };
            result.ImageSubPath = subPath;
            return result;
        }

        var path = VolumeLocation.Of(paths, pod.Metadata.Uid, volume)!;
        result.HostPath = subPath.Length == 0
            ? path
            : subPaths.Bind(path, subPath, new SubPathBinder.Target(pod.Metadata.Uid, mount.Name, container.Spec.Name, index));
        return result;
    }

    private static string SubPath(V1VolumeMount mount, IReadOnlyDictionary<string, string> env)
    {
        var subPath = string.IsNullOrEmpty(mount.SubPathExpr)
            ? mount.SubPath ?? ""
            : VariableExpansion.Expand(mount.SubPathExpr, name => env.TryGetValue(name, out var value)
                ? value
                : throw new VolumeSetUpException($"missing value for \"{name}\""));
        SubPathBinder.Check(subPath);
        return subPath;
    }

    private static MountPropagation Propagation(string? mode) => mode switch
    {
        null or "None" => MountPropagation.PropagationPrivate,
        "HostToContainer" => MountPropagation.PropagationHostToContainer,
        "Bidirectional" => MountPropagation.PropagationBidirectional,
        _ => throw new VolumeSetUpException($"invalid MountPropagation mode: \"{mode}\""),
    };

    [LoggerMessage(Level = LogLevel.Warning, Message = "Pod {PodUid}, container {Container}: subPath of volumeMount {Volume} could not be prepared")]
    private partial void LogSubPath(string podUid, string container, string volume, Exception exception);
}
