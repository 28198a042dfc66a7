using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Api.Resources;

namespace Podhost.Control.Objects;

/// <summary>What the controllers of all kinds need of an object. Immutable.</summary>
/// <param name="Resource">Its kind.</param>
/// <param name="Metadata">Its metadata; shared, never changed.</param>
internal sealed record ObjectIdentity(ResourceInfo Resource, V1ObjectMeta Metadata)
{
    public string Uid => Metadata.Uid ?? "";

    /// <summary>Namespace; empty for cluster-scoped kinds.</summary>
    public string Namespace => Metadata.NamespaceProperty ?? "";

    public string Name => Metadata.Name ?? "";

    public bool IsDeleting => Metadata.DeletionTimestamp is not null;

    public bool HasFinalizer(string finalizer) => Metadata.Finalizers?.Contains(finalizer) == true;

    public IEnumerable<V1OwnerReference> Owners => Metadata.OwnerReferences ?? [];

    /// <summary>Reads it from an object as the server sent it.</summary>
    public static ObjectIdentity Of(ResourceInfo resource, JsonObject obj) =>
        new(resource, ObjectCodec.ToModel<V1ObjectMeta>(obj["metadata"] as JsonObject ?? []));

    public override string ToString() => $"{Resource.QualifiedName} {(Namespace.Length > 0 ? Namespace + "/" : "")}{Name}";
}
