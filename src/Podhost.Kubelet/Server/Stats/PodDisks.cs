using k8s.Models;
using Podhost.Kubelet.Containers;
using Podhost.Kubelet.Eviction;
using Podhost.Kubelet.Volumes;
using Podhost.Linux.Files;

namespace Podhost.Kubelet.Server.Stats;

/// <summary>What pods hold in their volumes and logs. A walk through them is good for a while: those who ask often cost no more.</summary>
internal sealed class PodDisks(string rootDirectory, string? logsDirectory, TimeProvider time)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(10);
    private readonly PodPaths paths = new(rootDirectory);
    private readonly Lock gate = new();
    private Dictionary<string, (DateTimeOffset At, PodDisk Disk)> known = new(StringComparer.Ordinal);

    /// <summary>Measures a pod.</summary>
    public PodDisk Of(V1Pod pod, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        lock (gate)
        {
            known = known.Where(k => now - k.Value.At < Fresh).ToDictionary(StringComparer.Ordinal);
            if (known.TryGetValue(pod.Metadata.Uid, out var seen))
            {
                return seen.Disk;
            }
        }

        var disk = new PodDisk(now, Volumes(pod, cancellationToken), Logs(pod, cancellationToken));
        lock (gate)
        {
            known[pod.Metadata.Uid] = (now, disk);
        }

        return disk;
    }

    private List<VolumeFigures> Volumes(V1Pod pod, CancellationToken cancellationToken)
    {
        var result = new List<VolumeFigures>();

        // Upstream measures no directories of the host: they are not the pod's.
        foreach (var volume in (pod.Spec?.Volumes ?? []).Where(v => v.HostPath is null))
        {
            if (VolumeLocation.Of(paths, pod.Metadata.Uid, volume) is { } path && Measure(path, cancellationToken) is { } use && DiskFigures.Of(path, use) is { } figures)
            {
                var claim = volume.PersistentVolumeClaim?.ClaimName ?? (volume.Ephemeral is null ? null : $"{pod.Metadata.Name}-{volume.Name}");
                result.Add(new VolumeFigures(volume.Name, claim, StorageLimits.IsLocal(volume), claim is null ? figures : DiskFigures.OfAll(path) ?? figures));
            }
        }

        return result;
    }

    private Dictionary<string, DiskFigures> Logs(V1Pod pod, CancellationToken cancellationToken)
    {
        var result = new Dictionary<string, DiskFigures>(StringComparer.Ordinal);
        if (logsDirectory is null)
        {
            return result;
        }

        var directory = PodNames.LogDirectory(logsDirectory, pod);
        foreach (var container in ContainerNames(pod))
        {
            var path = Path.Combine(directory, container);
            if (Measure(path, cancellationToken) is { } use && DiskFigures.Of(path, use) is { } figures)
            {
                result[container] = figures;
            }
        }

        return result;
    }

    private static IEnumerable<string> ContainerNames(V1Pod pod) => (pod.Spec?.InitContainers ?? []).Concat(pod.Spec?.Containers ?? []).Select(c => c.Name)
        .Concat((pod.Spec?.EphemeralContainers ?? []).Select(c => c.Name));

    private static DiskUse? Measure(string path, CancellationToken cancellationToken)
    {
        try
        {
            return Directory.Exists(path) && FileTree.Measure(path, cancellationToken) is var (bytes, inodes) ? new DiskUse(bytes, inodes) : null;
        }
        catch (IOException)
        {
            return null; // it went meanwhile
        }
    }
}

/// <summary>What a pod holds.</summary>
/// <param name="At">When it was measured.</param>
/// <param name="Volumes">Its volumes.</param>
/// <param name="Logs">The logs of its containers, by name.</param>
internal sealed record PodDisk(DateTimeOffset At, IReadOnlyList<VolumeFigures> Volumes, IReadOnlyDictionary<string, DiskFigures> Logs);

/// <summary>A volume.</summary>
/// <param name="Name">Its name in the pod.</param>
/// <param name="Claim">The claim that it is; null for none.</param>
/// <param name="IsLocal">It is on the node's disk and counts for the pod.</param>
/// <param name="Disk">What it holds; of a claim what its file system holds.</param>
internal sealed record VolumeFigures(string Name, string? Claim, bool IsLocal, DiskFigures Disk);
