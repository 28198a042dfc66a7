using Grpc.Core;
using Podhost.Cri.V1;

namespace Podhost.Runtime.Containers;

/// <summary>Which containers are refused before anything is made. Pure.</summary>
internal static class ContainerRequestRules
{
    internal static void Check(ContainerConfig? config)
    {
        if (config?.Metadata is not { Name.Length: > 0 })
        {
            throw Refuse(StatusCode.InvalidArgument, "config.metadata.name: Required value");
        }

        if (config.Image is not { Image.Length: > 0 })
        {
            throw Refuse(StatusCode.InvalidArgument, "config.image.image: Required value");
        }

        if (config.Mounts.FirstOrDefault(mount => mount.Image is not null && !mount.Readonly) is { } writable)
        {
            throw Refuse(StatusCode.InvalidArgument, $"mount {writable.ContainerPath}: an image is mounted read-only, and must be asked for so");
        }

        if (config.CDIDevices.Count > 0)
        {
            throw Refuse(StatusCode.Unimplemented, "CDI_devices: not implemented by the embedded runtime");
        }

        if (config.Mounts.Any(mount => mount.UidMappings.Count > 0 || mount.GidMappings.Count > 0))
        {
            throw Refuse(StatusCode.Unimplemented, "mounts[].uidMappings: id-mapped mounts are not implemented by the embedded runtime");
        }

        if (config.Linux?.SecurityContext?.NamespaceOptions?.UsernsOptions is { Mode: NamespaceMode.Pod })
        {
            throw Refuse(StatusCode.Unimplemented, "hostUsers: false: user namespaces are not implemented by the embedded runtime");
        }
    }

    private static RpcException Refuse(StatusCode code, string message) => new(new Status(code, message));
}
