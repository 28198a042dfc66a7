using System.Text.Json.Nodes;
using k8s;
using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Client;

namespace Podhost.Control.Objects;

/// <summary>Who controls an object: the owner reference that is marked as the controller's.</summary>
internal static class Ownership
{
    /// <summary>The reference of the controller, or null.</summary>
    public static V1OwnerReference? ControllerOf(IKubernetesObject<V1ObjectMeta> obj) => obj.Metadata.OwnerReferences?.FirstOrDefault(r => r.Controller == true);

    /// <summary>True where this very object (not another of its name) controls the other.</summary>
    public static bool Controls(IKubernetesObject<V1ObjectMeta> owner, IKubernetesObject<V1ObjectMeta> obj) => ControllerOf(obj)?.Uid == owner.Metadata.Uid;

    /// <summary>
    /// True where an owner may take an orphan: it is not told to go, by the server's word. The copy may be behind, and an owner that lets its
    /// dependents go must not take them back.
    /// </summary>
    public static async Task<bool> MayAdoptAsync<T>(IApiClient client, T owner, CancellationToken cancellationToken) where T : class, IKubernetesObject<V1ObjectMeta> =>
        owner.Metadata.DeletionTimestamp is null
        && await client.GetAsync<T>(owner.Metadata.NamespaceProperty, owner.Metadata.Name, cancellationToken) is { } now
        && now.Metadata.Uid == owner.Metadata.Uid && now.Metadata.DeletionTimestamp is null;

    /// <summary>References as a patch has them.</summary>
    public static JsonArray ToJson(IEnumerable<V1OwnerReference> references) => [.. references.Select(r => (JsonNode)ObjectCodec.ToObject(r))];

    /// <summary>The reference that makes an object the controller of others.</summary>
    public static V1OwnerReference Reference(IKubernetesObject<V1ObjectMeta> owner, string apiVersion, string kind) => new()
    {
        ApiVersion = apiVersion,
        Kind = kind,
        Name = owner.Metadata.Name,
        Uid = owner.Metadata.Uid,
        Controller = true,
        BlockOwnerDeletion = true,
    };
}
