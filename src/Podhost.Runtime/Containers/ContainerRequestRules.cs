using Grpc.Core;
using Podhost.Cri.V1;
using Podhost.Runtime.Spec;

namespace Podhost.Runtime.Containers;

/// <summary>Which containers are refused before anything is made. Pure.</summary>
internal static class ContainerRequestRules
{
    /// <summary>Throws for a container that cannot be.</summary>
    /// <param name="config">What is asked for.</param>
    /// <param name="users">The users of the sandbox; null for the machine's own.</param>
    internal static void Check(ContainerConfig? config, UserMapping? users)
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

        CheckUsers(config, users);
    }

    // A mount is mapped by the namespace of its pod: there is no other.
    private static void CheckUsers(ContainerConfig config, UserMapping? users)
    {
        if (config.Mounts.FirstOrDefault(mount => UserMapping.Of(mount) is { } asked && !asked.Equals(users)) is { } other)
        {
            throw Refuse(StatusCode.InvalidArgument, $"mount {other.ContainerPath}: uidMappings and gidMappings differ from the user namespace of the sandbox");
        }

        if (UserMapping.Of(config.Linux?.SecurityContext?.NamespaceOptions?.UsernsOptions) is { } own && !own.Equals(users))
        {
            throw Refuse(StatusCode.InvalidArgument, "namespace_options.userns_options differs from the user namespace of the sandbox");
        }
    }

    private static RpcException Refuse(StatusCode code, string message) => new(new Status(code, message));
}
