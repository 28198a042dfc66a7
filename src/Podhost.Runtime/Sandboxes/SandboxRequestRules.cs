using Grpc.Core;
using Podhost.Cri.V1;
using Podhost.Runtime.Spec;

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
        if (UserMapping.Of(namespaces.UsernsOptions) is not null
            && (namespaces.Network == NamespaceMode.Node || namespaces.Pid == NamespaceMode.Node || namespaces.Ipc == NamespaceMode.Node))
        {
            throw Invalid("namespace_options.userns_options: a pod with users of its own cannot share the network, processes or IPC of the machine");
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
