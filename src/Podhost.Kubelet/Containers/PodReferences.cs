using k8s.Models;

namespace Podhost.Kubelet.Containers;

/// <summary>References to pods, for events.</summary>
internal static class PodReferences
{
    public static V1ObjectReference Of(V1Pod pod, string? fieldPath = null) => new()
    {
        ApiVersion = "v1",
        Kind = "Pod",
        Name = pod.Metadata.Name,
        NamespaceProperty = pod.Metadata.NamespaceProperty,
        Uid = pod.Metadata.Uid,
        ResourceVersion = pod.Metadata.ResourceVersion,
        FieldPath = fieldPath,
    };
}
