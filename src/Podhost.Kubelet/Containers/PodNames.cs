using k8s.Models;

namespace Podhost.Kubelet.Containers;

/// <summary>A pod as messages and directories name it.</summary>
internal static class PodNames
{
    /// <summary><c>name_namespace(uid)</c>, as in upstream's messages.</summary>
    public static string Format(V1Pod pod) => $"{pod.Metadata.Name}_{pod.Metadata.NamespaceProperty}({pod.Metadata.Uid})";

    /// <summary>Directory of a pod's logs: <c>root/namespace_name_uid</c>.</summary>
    public static string LogDirectory(string root, V1Pod pod) =>
        Path.Combine(root, $"{pod.Metadata.NamespaceProperty}_{pod.Metadata.Name}_{pod.Metadata.Uid}");

    /// <summary>Log of a container instance, relative to <see cref="LogDirectory"/>.</summary>
    public static string LogPath(string container, uint attempt) => $"{container}/{attempt}.log";
}
