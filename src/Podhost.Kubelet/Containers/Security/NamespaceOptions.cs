using k8s.Models;
using Podhost.Cri.V1;
using Podhost.Kubelet.UserNamespaces;

namespace Podhost.Kubelet.Containers.Security;

/// <summary>Which namespaces a sandbox and its containers share.</summary>
internal static class NamespaceOptions
{
    /// <summary>Namespaces of the sandbox, and of a container where <paramref name="targetContainerId"/> does not change the PID namespace.</summary>
    /// <param name="spec">The pod's spec.</param>
    /// <param name="users">The users of a pod with hostUsers false; null for the machine's own.</param>
    /// <param name="targetContainerId">For an ephemeral container.</param>
    public static NamespaceOption Of(V1PodSpec spec, UserRange? users = null, string? targetContainerId = null)
    {
        var result = new NamespaceOption
        {
            Network = spec.HostNetwork == true ? NamespaceMode.Node : NamespaceMode.Pod,
            Ipc = spec.HostIPC == true ? NamespaceMode.Node : NamespaceMode.Pod,
            Pid = spec switch
            {
                { HostPID: true } => NamespaceMode.Node,
                { ShareProcessNamespace: true } => NamespaceMode.Pod,
                _ => NamespaceMode.Container,
            },
            UsernsOptions = Users(users),
        };
        if (!string.IsNullOrEmpty(targetContainerId) && result.Pid == NamespaceMode.Container)
        {
            result.Pid = NamespaceMode.Target;
            result.TargetId = targetContainerId;
        }

        return result;
    }

    /// <summary>One range for users and groups, from id 0.</summary>
    public static IDMapping Mapping(UserRange users) => new() { HostId = users.First, ContainerId = 0, Length = users.Length };

    private static UserNamespace? Users(UserRange? users) => users is { } range
        ? new UserNamespace { Mode = NamespaceMode.Pod, Uids = { Mapping(range) }, Gids = { Mapping(range) } }
        : null;
}
