using k8s;
using k8s.Models;

namespace Podhost.Client.Informers;

/// <summary>Namespace and name. The namespace is empty for cluster-scoped kinds.</summary>
/// <param name="Namespace">Namespace, or empty.</param>
/// <param name="Name">Name.</param>
public readonly record struct ObjectKey(string Namespace, string Name)
{
    /// <summary>The key of an object.</summary>
    public static ObjectKey Of(IKubernetesObject<V1ObjectMeta> obj) => new(obj.Metadata.NamespaceProperty ?? "", obj.Metadata.Name ?? "");

    /// <summary><c>namespace/name</c>, or the name alone.</summary>
    public override string ToString() => Namespace.Length == 0 ? Name : $"{Namespace}/{Name}";
}
