using k8s.Models;
using Podhost.Api.Pods;
using Podhost.Api.Selectors;

namespace Podhost.Control.Controllers.PersistentVolumes;

/// <summary>Which volume a claim gets; pure. Source: upstream's pkg/controller/volume/persistentvolume (index.go, volume.FindMatchingVolume).</summary>
internal static class BindingRules
{
    /// <summary>Set on a claim by the scheduler: where the pod that waits for it will run.</summary>
    public const string SelectedNode = "volume.kubernetes.io/selected-node";

    /// <summary>True where a claim waits for a pod that uses it.</summary>
    public static bool IsDelayed(V1PersistentVolumeClaim claim, V1StorageClass? storageClass) =>
        storageClass?.VolumeBindingMode == "WaitForFirstConsumer" && claim.Metadata.Annotations?.ContainsKey(SelectedNode) != true;

    /// <summary>The volume for a claim: one that is reserved for it, else the smallest of those that satisfy it; null where there is none.</summary>
    /// <param name="claim">The claim.</param>
    /// <param name="volumes">All volumes.</param>
    /// <param name="node">The node from which it must be reached, or null for any.</param>
    public static V1PersistentVolume? Find(V1PersistentVolumeClaim claim, IEnumerable<V1PersistentVolume> volumes, V1Node? node)
    {
        var selector = claim.Spec.Selector is null ? LabelSelector.Everything : LabelSelector.FromModel(claim.Spec.Selector);
        return volumes
            .Where(v => v.Metadata.DeletionTimestamp is null && (IsReservedFor(v, claim) || (v.Spec.ClaimRef is null && v.Status?.Phase is "Available" or "Pending")))
            .Where(v => Fault(claim, v) is null && (node is null || VolumeNodes.Reaches(v, node)))
            .Where(v => IsReservedFor(v, claim) || selector.Matches(key => v.Metadata.Labels is { } labels && labels.TryGetValue(key, out var value) ? value : null))
            .OrderBy(v => IsReservedFor(v, claim) ? 0 : 1)
            .ThenBy(v => v.Spec.Capacity.Get("storage"))
            .ThenBy(v => v.Metadata.Name, StringComparer.Ordinal)
            .FirstOrDefault();
    }

    /// <summary>True where a volume's claimRef means the claim.</summary>
    public static bool IsReservedFor(V1PersistentVolume volume, V1PersistentVolumeClaim claim) => volume.Spec.ClaimRef is { } reference
        && reference.Name == claim.Metadata.Name && reference.NamespaceProperty == claim.Metadata.NamespaceProperty
        && (string.IsNullOrEmpty(reference.Uid) || reference.Uid == claim.Metadata.Uid);

    /// <summary>Why a volume does not satisfy a claim, in upstream's words; null where it does.</summary>
    public static string? Fault(V1PersistentVolumeClaim claim, V1PersistentVolume volume) =>
        volume.Spec.Capacity.Get("storage") < (claim.Spec.Resources?.Requests.Get("storage") ?? 0) ? "requested PV is too small"
        : (volume.Spec.StorageClassName ?? "") != (claim.Spec.StorageClassName ?? "") ? "storageClassName does not match"
        : (volume.Spec.VolumeMode ?? "Filesystem") != (claim.Spec.VolumeMode ?? "Filesystem") ? "incompatible volumeMode"
        : (claim.Spec.AccessModes ?? []).Any(mode => volume.Spec.AccessModes?.Contains(mode) != true) ? "incompatible accessMode"
        : null;
}
