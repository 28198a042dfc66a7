using k8s.Models;
using Podhost.Api.Storage;
using Podhost.Client.Informers;

namespace Podhost.Control.Scheduler.Model;

/// <summary>Claims, volumes and their classes at one moment. Immutable.</summary>
internal sealed class StorageView(
    IReadOnlyDictionary<ObjectKey, V1PersistentVolumeClaim> claims, IReadOnlyList<V1PersistentVolume> volumes, IReadOnlyDictionary<string, V1StorageClass> classes)
{
    public static StorageView Empty { get; } = new(new Dictionary<ObjectKey, V1PersistentVolumeClaim>(), [], new Dictionary<string, V1StorageClass>());

    public IReadOnlyList<V1PersistentVolume> Volumes => volumes;

    public V1PersistentVolume? Volume(string name) => volumes.FirstOrDefault(v => v.Metadata.Name == name);

    /// <summary>The claims of a pod that are there.</summary>
    public IEnumerable<V1PersistentVolumeClaim> ClaimsOf(PodView pod) =>
        PodClaims.Of(pod.Pod).Select(name => claims.GetValueOrDefault(new ObjectKey(pod.Namespace, name))).OfType<V1PersistentVolumeClaim>();

    /// <summary>True where a claim has its volume.</summary>
    public static bool IsBound(V1PersistentVolumeClaim claim) => claim.Status?.Phase == "Bound" && !string.IsNullOrEmpty(claim.Spec.VolumeName);

    /// <summary>True where a claim waits for the first pod that uses it.</summary>
    public bool WaitsForConsumer(V1PersistentVolumeClaim claim) =>
        claim.Spec.StorageClassName is { Length: > 0 } name && classes.TryGetValue(name, out var c) && c.VolumeBindingMode == "WaitForFirstConsumer";

    /// <summary>Why a pod fits nowhere as its claims are, in upstream's words; null where they allow it.</summary>
    public string? Refuse(PodView pod)
    {
        foreach (var volume in pod.Spec.Volumes ?? [])
        {
            if (PodClaims.NameOf(pod.Pod, volume) is not { } name)
            {
                continue;
            }

            if (!claims.TryGetValue(new ObjectKey(pod.Namespace, name), out var claim))
            {
                return volume.Ephemeral is null
                    ? $"persistentvolumeclaim \"{name}\" not found"
                    : $"waiting for ephemeral volume controller to create the persistentvolumeclaim \"{name}\"";
            }

            var why = claim.Metadata.DeletionTimestamp is not null ? $"persistentvolumeclaim \"{name}\" is being deleted"
                : claim.Status?.Phase == "Lost" ? $"persistentvolumeclaim \"{name}\" bound to non-existent persistentvolume \"{claim.Spec.VolumeName}\""
                : volume.Ephemeral is not null && !PodClaims.IsOwned(claim, pod.Pod) ? $"PVC {pod.Namespace}/{name} was not created for pod {pod.Key} (pod is not owner)"
                : !IsBound(claim) && !WaitsForConsumer(claim) ? "pod has unbound immediate PersistentVolumeClaims"
                : null;
            if (why is not null)
            {
                return why;
            }
        }

        return null;
    }
}
