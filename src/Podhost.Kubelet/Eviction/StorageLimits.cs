using k8s.Models;
using Podhost.Api.Quantities;
using Podhost.Kubelet.Sources;

namespace Podhost.Kubelet.Eviction;

/// <summary>
/// Whether a pod holds more of the disk than it may: upstream's local storage eviction (localStorageEviction of the eviction manager), with
/// its order and its messages. Pure.
/// </summary>
internal static class StorageLimits
{
    private const int SystemCriticalPriority = 2_000_000_000;

    /// <summary>True where the pod has a limit that must be watched. Static and critical pods are never evicted for their storage.</summary>
    public static bool Apply(V1Pod pod) =>
        !IsCritical(pod) && ((pod.Spec?.Volumes ?? []).Any(v => SizeLimit(v) is not null) || AllContainers(pod).Any(c => Limit(c) is not null));

    /// <summary>Why the pod is to be evicted, as its status and its event say it; null where it keeps to its limits.</summary>
    public static string? Exceeded(V1Pod pod, StorageUsage usage) =>
        IsCritical(pod) ? null : OfVolumes(pod, usage) ?? OfPod(pod, usage) ?? OfContainers(pod, usage);

    /// <summary>True for volumes that count against the pod's ephemeral storage (upstream's IsLocalEphemeralVolume).</summary>
    public static bool IsLocal(V1Volume volume) => volume.EmptyDir is { Medium: null or "" } || volume.ConfigMap is not null;

    private static string? OfVolumes(V1Pod pod, StorageUsage usage)
    {
        foreach (var volume in pod.Spec.Volumes ?? [])
        {
            if (SizeLimit(volume) is { } limit && usage.Volumes.TryGetValue(volume.Name, out var used) && used.Bytes > limit.Value)
            {
                return $"Usage of EmptyDir volume \"{volume.Name}\" exceeds the limit \"{limit}\". ";
            }
        }

        return null;
    }

    /// <summary>The sum of the limits binds the whole, also where only some containers have one.</summary>
    private static string? OfPod(V1Pod pod, StorageUsage usage)
    {
        if (AllContainers(pod).Select(Limit).FirstOrDefault(l => l is not null) is not { } first)
        {
            return null;
        }

        var limit = Quantity.FromValue(Quantities.Value(PodResources.Limits(pod).Get(ResourceNames.EphemeralStorage)), first.Format);
        return usage.Total > limit.Value ? $"Pod ephemeral local storage usage exceeds the total limit of containers {limit}. " : null;
    }

    /// <summary>Only app containers have a limit of their own, as upstream has it; init containers count in the pod's.</summary>
    private static string? OfContainers(V1Pod pod, StorageUsage usage)
    {
        foreach (var container in pod.Spec.Containers ?? [])
        {
            if (Limit(container) is { } limit && usage.Containers.TryGetValue(container.Name, out var used) && used.Total > limit.Value)
            {
                return $"Container {container.Name} exceeded its local ephemeral storage limit \"{limit}\". ";
            }
        }

        return null;
    }

    /// <summary>A volume in memory has the limit as the size of its file system: nothing can exceed it.</summary>
    private static Quantity? SizeLimit(V1Volume volume) =>
        volume.EmptyDir is { Medium: null or "", SizeLimit: { } limit } ? Positive(limit) : null;

    private static Quantity? Limit(V1Container container) =>
        container.Resources?.Limits is { } limits && limits.TryGetValue(ResourceNames.EphemeralStorage, out var limit) ? Positive(limit) : null;

    private static Quantity? Positive(ResourceQuantity limit) =>
        Quantity.TryParse(limit.ToString(), out var quantity) && quantity.Sign > 0 ? quantity : null;

    private static IEnumerable<V1Container> AllContainers(V1Pod pod) => (pod.Spec?.Containers ?? []).Concat(pod.Spec?.InitContainers ?? []);

    /// <summary>Static and mirror pods and pods of the system's priorities: nothing evicts them, no shortage keeps them out.</summary>
    public static bool IsCritical(V1Pod pod) =>
        pod.Spec?.Priority >= SystemCriticalPriority
        || (pod.Metadata.Annotations is { } notes
            && (notes.ContainsKey(PodAnnotations.Mirror) || (notes.TryGetValue(PodAnnotations.Source, out var source) && source != "api")));
}
