using k8s;
using k8s.Models;

namespace Podhost.Control.Objects;

/// <summary>
/// Indexes of informers by which owners find what is theirs, so that a look at one object costs what it has, not what the cluster has. Each
/// is one static function, so all controllers share one index.
/// </summary>
internal static class OwnerIndex
{
    private static readonly IDictionary<string, string> NoLabels = new Dictionary<string, string>().AsReadOnly();

    /// <summary>By the UID of the controller; objects that nothing controls by <see cref="OrphansOf"/> their namespace.</summary>
    public static IEnumerable<string> ByController(IKubernetesObject<V1ObjectMeta> obj) =>
        [Ownership.ControllerOf(obj)?.Uid ?? OrphansOf(obj.Metadata.NamespaceProperty)];

    /// <summary>By kind and name of the controller, where the owner may be gone and nobody knows its UID; see <see cref="Named"/>.</summary>
    public static IEnumerable<string> ByControllerName(IKubernetesObject<V1ObjectMeta> obj) =>
        Ownership.ControllerOf(obj) is { } owner ? [Named(owner.Kind, obj.Metadata.NamespaceProperty, owner.Name)] : [];

    /// <summary>By namespace.</summary>
    public static IEnumerable<string> ByNamespace(IKubernetesObject<V1ObjectMeta> obj) => [obj.Metadata.NamespaceProperty ?? ""];

    /// <summary>By each label, in the object's namespace; see <see cref="Label"/>.</summary>
    public static IEnumerable<string> ByLabel(IKubernetesObject<V1ObjectMeta> obj) =>
        (obj.Metadata.Labels ?? NoLabels).Select(l => Label(obj.Metadata.NamespaceProperty, l.Key, l.Value));

    /// <summary>Pods by the name of their node.</summary>
    public static IEnumerable<string> ByNode(V1Pod pod) => string.IsNullOrEmpty(pod.Spec.NodeName) ? [] : [pod.Spec.NodeName];

    /// <summary>The value of a namespace's objects with a label.</summary>
    public static string Label(string? ns, string key, string? value) => $"{ns}/{key}={value}";

    /// <summary>The value of what a controller of this name has.</summary>
    public static string Named(string kind, string? ns, string name) => $"{kind}/{ns}/{name}";

    /// <summary>The value of a namespace's objects that nothing controls. No UID has a slash.</summary>
    public static string OrphansOf(string? ns) => "/" + ns;
}
