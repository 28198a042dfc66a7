using k8s.Models;
using Podhost.Cri.V1;

namespace Podhost.Kubelet.Containers.Security;

/// <summary>Which namespaces a sandbox and its containers share.</summary>
internal static class NamespaceOptions
{
    /// <summary>Namespaces of the sandbox, and of a container where <paramref name="targetContainerId"/> does not change the PID namespace.</summary>
    public static NamespaceOption Of(V1PodSpec spec, string? targetContainerId = null)
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
        };
        if (!string.IsNullOrEmpty(targetContainerId) && result.Pid == NamespaceMode.Container)
        {
            result.Pid = NamespaceMode.Target;
            result.TargetId = targetContainerId;
        }

        return result;
    }
}
