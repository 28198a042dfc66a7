using k8s.Models;

namespace Podhost.Kubelet.Volumes;

/// <summary>What is set up for one pod. Everything but <see cref="Gate"/> is used under the gate only.</summary>
internal sealed class PodVolumeSet
{
    /// <summary>One change at a time.</summary>
    public SemaphoreSlim Gate { get; } = new(1, 1);

    /// <summary>The newest version of the pod.</summary>
    public V1Pod? Pod { get; set; }

    /// <summary>Volumes that are ready, with the time at which each renews itself.</summary>
    public Dictionary<string, DateTimeOffset?> Ready { get; } = new(StringComparer.Ordinal);

    /// <summary>The pod is gone: whoever waited for the gate starts over.</summary>
    public bool Removed { get; set; }

    /// <summary>A new version of the pod changes files of its volumes: they show labels, annotations and resources.</summary>
    public bool ChangesFiles(V1Pod newer) =>
        Pod is not null && (!Same(Pod.Metadata.Labels, newer.Metadata.Labels) || !Same(Pod.Metadata.Annotations, newer.Metadata.Annotations)
            || Pod.Metadata.Generation != newer.Metadata.Generation);

    private static bool Same(IDictionary<string, string>? a, IDictionary<string, string>? b) =>
        (a?.Count ?? 0) == (b?.Count ?? 0) && (a is null || a.All(e => b!.TryGetValue(e.Key, out var value) && value == e.Value));
}
