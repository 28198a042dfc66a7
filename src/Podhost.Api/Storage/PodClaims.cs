using k8s.Models;

namespace Podhost.Api.Storage;

/// <summary>The claims that a pod's volumes name.</summary>
public static class PodClaims
{
    /// <summary>All of them, in the pod's namespace, each once.</summary>
    public static IEnumerable<string> Of(V1Pod pod) => (pod.Spec?.Volumes ?? []).Select(v => NameOf(pod, v)).OfType<string>().Distinct(StringComparer.Ordinal);

    /// <summary>The claim of a volume, or null where it has none: the one that it names, or <c>POD-VOLUME</c> of an ephemeral one.</summary>
    public static string? NameOf(V1Pod pod, V1Volume volume) => volume.PersistentVolumeClaim?.ClaimName ?? (volume.Ephemeral is null ? null : EphemeralName(pod, volume));

    /// <summary>The name of the claim that is made for an ephemeral volume.</summary>
    public static string EphemeralName(V1Pod pod, V1Volume volume) => $"{pod.Metadata.Name}-{volume.Name}";

    /// <summary>True where a claim belongs to a pod, as an ephemeral volume's must.</summary>
    public static bool IsOwned(V1PersistentVolumeClaim claim, V1Pod pod) => claim.Metadata.OwnerReferences?.Any(o => o.Controller == true && o.Uid == pod.Metadata.Uid) == true;
}
