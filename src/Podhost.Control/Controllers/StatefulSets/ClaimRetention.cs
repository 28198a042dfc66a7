using k8s;
using k8s.Models;
using Podhost.Control.Objects;

namespace Podhost.Control.Controllers.StatefulSets;

/// <summary>
/// Who owns a claim of a set, so that the garbage collector takes it when its policy says so: the set (whenDeleted: Delete), the pod that is
/// scaled away (whenScaled: Delete), or nobody. Pure. Source: upstream's isClaimOwnerUpToDate and updateClaimOwnerRefForSetAndPod.
/// </summary>
internal static class ClaimRetention
{
    /// <summary>The owner references that a claim must get; null where they are right, or not ours to change.</summary>
    /// <param name="set">The set.</param>
    /// <param name="pod">The pod of the claim.</param>
    /// <param name="isScaledDown">True where the pod is no longer wanted.</param>
    /// <param name="claim">The claim.</param>
    public static IReadOnlyList<V1OwnerReference>? Decide(V1StatefulSet set, V1Pod pod, bool isScaledDown, V1PersistentVolumeClaim claim)
    {
        var references = claim.Metadata.OwnerReferences ?? [];
        if (references.Any(r => IsStale(r, set, "StatefulSet") || IsStale(r, pod, "Pod")))
        {
            // Of an earlier set or pod of that name: the garbage collector is about to take the claim.
            return null;
        }

        var policy = set.Spec.PersistentVolumeClaimRetentionPolicy;
        var toPod = policy?.WhenScaled == "Delete" && isScaledDown;
        var toSet = policy?.WhenDeleted == "Delete" && !toPod;
        var others = references.Where(r => r.Uid != set.Metadata.Uid && r.Uid != pod.Metadata.Uid).ToList();
        if (others.Any(r => r.Controller == true))
        {
            // Another controls it: ours would be one too many.
            (toPod, toSet) = (false, false);
        }

        if (Has(references, set) == toSet && Has(references, pod) == toPod)
        {
            return null;
        }

        if (toSet)
        {
            others.Add(Ownership.Reference(set, "apps/v1", "StatefulSet"));
        }

        if (toPod)
        {
            others.Add(Ownership.Reference(pod, "v1", "Pod"));
        }

        return others;
    }

    /// <summary>True where a claim belongs to a pod that is gone: it goes too, and a new pod must not use it.</summary>
    /// <param name="claim">The claim.</param>
    /// <param name="podName">The name of the pod that is to be made.</param>
    public static bool IsOfFormerPod(V1PersistentVolumeClaim claim, string podName) =>
        claim.Metadata.DeletionTimestamp is not null || claim.Metadata.OwnerReferences?.Any(r => r.Kind == "Pod" && r.Name == podName) == true;

    private static bool IsStale(V1OwnerReference reference, IKubernetesObject<V1ObjectMeta> owner, string kind) =>
        reference.Kind == kind && reference.Name == owner.Metadata.Name && reference.Uid != owner.Metadata.Uid;

    private static bool Has(IEnumerable<V1OwnerReference> references, IKubernetesObject<V1ObjectMeta> owner) => references.Any(r => r.Uid == owner.Metadata.Uid && r.Controller == true);
}
