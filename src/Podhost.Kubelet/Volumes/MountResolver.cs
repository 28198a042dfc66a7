using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Cri.V1;
using Podhost.Kubelet.Containers.Environment;
using Podhost.Kubelet.Volumes.Handlers;

namespace Podhost.Kubelet.Volumes;

/// <summary>CRI mounts of a container's volumeMounts.</summary>
internal sealed partial class MountResolver(
    VolumeManagerOptions options, PodPaths paths, SubPathBinder subPaths, IReadOnlyList<IVolumeHandler> handlers, ILogger logger)
{
    /// <summary>Resolves one.</summary>
    /// <exception cref="VolumeException">It cannot be resolved.</exception>
    public Mount Resolve(V1Pod pod, V1Container container, int index, IReadOnlyDictionary<string, string> env)
    {
        var mount = container.VolumeMounts[index];
        try
        {
            return Build(pod, container, index, env);
        }
        catch (VolumeSetUpException e)
        {
            throw new VolumeException(mount.Name, e.Message);
        }
        catch (IOException e)
        {
            // The cause stays with the node: to the user it could tell about the node's files.
            LogSubPath(pod.Metadata.Uid, container.Name, mount.Name, e);
            throw new VolumeException(mount.Name, $"failed to prepare subPath for volumeMount \"{mount.Name}\" of container \"{container.Name}\"");
        }
    }

    private Mount Build(V1Pod pod, V1Container container, int index, IReadOnlyDictionary<string, string> env)
    {
        var mount = container.VolumeMounts[index];
        var volume = pod.Spec.Volumes?.FirstOrDefault(v => v.Name == mount.Name);
        var handler = volume is null ? null : handlers.FirstOrDefault(h => h.Handles(volume));
        if (volume is null || handler is null)
        {
            throw new VolumeSetUpException($"cannot find volume \"{mount.Name}\" to mount into container \"{container.Name}\"");
        }

        var subPath = SubPath(mount, env);
        var result = new Mount
        {
            ContainerPath = mount.MountPath.StartsWith('/') ? mount.MountPath : "/" + mount.MountPath,
            Readonly = mount.ReadOnlyProperty == true || handler.IsReadOnly || volume.PersistentVolumeClaim?.ReadOnlyProperty == true,
            RecursiveReadOnly = IsRecursiveReadOnly(mount),
            Propagation = Propagation(mount.MountPropagation),
        };
        if (volume.Image is { } image)
        {
            result.Image = new ImageSpec { Image = image.Reference, UserSpecifiedImage = image.Reference };
            result.ImageSubPath = subPath;
            return result;
        }

        var path = VolumeLocation.Of(paths, pod.Metadata.Uid, volume)!;
        result.HostPath = subPath.Length == 0
            ? path
            : subPaths.Bind(path, subPath, new SubPathBinder.Target(pod.Metadata.Uid, mount.Name, container.Name, index));
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

    private bool IsRecursiveReadOnly(V1VolumeMount mount)
    {
        switch (mount.RecursiveReadOnly)
        {
            case null or "Disabled":
                return false;
            case "IfPossible" or "Enabled" when mount.ReadOnlyProperty != true:
                throw new VolumeSetUpException($"volume \"{mount.Name}\" requested recursive read-only mode, but it is not read-only");
            case "IfPossible" or "Enabled" when mount.MountPropagation is not (null or "None"):
                throw new VolumeSetUpException(
                    $"volume \"{mount.Name}\" requested recursive read-only mode, but it is not compatible with propagation {mount.MountPropagation}");
            case "IfPossible":
                return options.RecursiveReadOnly;
            case "Enabled" when options.RecursiveReadOnly:
                return true;
            case "Enabled":
                throw new VolumeSetUpException($"volume \"{mount.Name}\" requested recursive read-only mode, but it is not supported by the runtime");
            default:
                throw new VolumeSetUpException($"unknown recursive read-only mode \"{mount.RecursiveReadOnly}\"");
        }
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
