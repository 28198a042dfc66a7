using Grpc.Core;
using Podhost.Cri.V1;

namespace Podhost.Runtime.Sandboxes;

/// <summary>Which sandboxes are refused before anything is made. Pure.</summary>
internal static class SandboxRequestRules
{
    private const int MaxHostname = 64;

    internal static void Check(PodSandboxConfig? config)
    {
        if (config?.Metadata is not { Name.Length: > 0 })
        {
            throw Invalid("config.metadata.name: Required value");
        }

        if (System.Text.Encoding.UTF8.GetByteCount(config.Hostname) > MaxHostname)
        {
            throw Invalid($"config.hostname: longer than {MaxHostname} bytes");
        }

        var namespaces = config.Linux?.SecurityContext?.NamespaceOptions ?? new NamespaceOption();
        if (namespaces.UsernsOptions is { Mode: NamespaceMode.Pod })
        {
            throw new RpcException(new Status(StatusCode.Unimplemented, "hostUsers: false: user namespaces are not implemented by the embedded runtime"));
        }

        foreach (var mode in new[] { namespaces.Network, namespaces.Ipc })
        {
            if (mode is not (NamespaceMode.Pod or NamespaceMode.Node))
            {
                throw Invalid($"namespace_options: network and ipc are POD or NODE, not {mode}");
            }
        }

        if (namespaces.Pid == NamespaceMode.Target)
        {
            throw Invalid("namespace_options.pid: TARGET is for containers");
        }
    }

    private static RpcException Invalid(string message) => new(new Status(StatusCode.InvalidArgument, message));
}
