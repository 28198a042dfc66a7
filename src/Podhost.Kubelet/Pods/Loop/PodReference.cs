using k8s.Models;

namespace Podhost.Kubelet.Pods.Loop;

/// <summary>A pod as events name it.</summary>
internal static class PodReference
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
