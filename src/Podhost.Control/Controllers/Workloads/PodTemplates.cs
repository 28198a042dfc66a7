using k8s;
using k8s.Models;
using Podhost.Api.Objects;

namespace Podhost.Control.Controllers.Workloads;

/// <summary>From a template to a pod.</summary>
internal static class PodTemplates
{
    /// <summary>A pod as the template says, controlled by the owner, named after it.</summary>
    public static V1Pod Make(V1PodTemplateSpec template, IKubernetesObject<V1ObjectMeta> owner, V1OwnerReference reference)
    {
        var prefix = owner.Metadata.Name + "-";
        return new V1Pod
        {
            ApiVersion = "v1",
            Kind = "Pod",
            Metadata = new V1ObjectMeta
            {
                GenerateName = prefix,
                NamespaceProperty = owner.Metadata.NamespaceProperty,
                Labels = Copy(template.Metadata?.Labels),
                Annotations = Copy(template.Metadata?.Annotations),
                Finalizers = template.Metadata?.Finalizers?.ToList(),
                OwnerReferences = [reference],
            },
            Spec = ObjectCodec.ToModel<V1PodSpec>(ObjectCodec.ToUtf8(template.Spec)),
        };
    }

    private static Dictionary<string, string>? Copy(IDictionary<string, string>? map) => map is null ? null : new Dictionary<string, string>(map, StringComparer.Ordinal);
}
