using k8s.Models;

namespace Podhost.Kubelet.Probes;

/// <summary>The object of an event about a container.</summary>
internal static class ContainerReference
{
    /// <summary>The pod, with a field path that names the container in the list it is in.</summary>
    public static V1ObjectReference Of(V1Pod pod, string container)
    {
        var list = pod.Spec?.InitContainers?.Any(c => c.Name == container) == true ? "initContainers"
            : pod.Spec?.EphemeralContainers?.Any(c => c.Name == container) == true ? "ephemeralContainers"
            : "containers";
        return new V1ObjectReference
        {
            ApiVersion = "v1",
            Kind = "Pod",
            NamespaceProperty = pod.Metadata?.NamespaceProperty,
            Name = pod.Metadata?.Name,
            Uid = pod.Metadata?.Uid,
            ResourceVersion = pod.Metadata?.ResourceVersion,
            FieldPath = $"spec.{list}{{{container}}}",
        };
    }
}
