using k8s;
using k8s.Models;

namespace Podhost.Control.Controllers.Workloads;

/// <summary>Who controls an object: the owner reference that is marked as the controller's.</summary>
internal static class Ownership
{
    /// <summary>The reference of the controller, or null.</summary>
    public static V1OwnerReference? ControllerOf(IKubernetesObject<V1ObjectMeta> obj) => obj.Metadata.OwnerReferences?.FirstOrDefault(r => r.Controller == true);

    /// <summary>True where this very object (not another of its name) controls the other.</summary>
    public static bool Controls(IKubernetesObject<V1ObjectMeta> owner, IKubernetesObject<V1ObjectMeta> obj) => ControllerOf(obj)?.Uid == owner.Metadata.Uid;

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
