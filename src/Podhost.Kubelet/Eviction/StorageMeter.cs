using k8s.Models;
using Podhost.Cri.Services;
using Podhost.Cri.V1;
using Podhost.Kubelet.Containers;
using Podhost.Kubelet.Volumes;
using Podhost.Linux.Files;

namespace Podhost.Kubelet.Eviction;

/// <summary>Measures what one pod holds on the disk: volumes and logs by counting blocks, writable layers as the runtime says.</summary>
internal sealed class StorageMeter(IRuntimeService runtime, string rootDirectory, string logsDirectory)
{
    private readonly PodPaths paths = new(rootDirectory);

    /// <exception cref="Grpc.Core.RpcException">The runtime gives no statistics.</exception>
    /// <exception cref="IOException">A directory cannot be read.</exception>
    public async Task<StorageUsage> MeasureAsync(V1Pod pod, CancellationToken cancellationToken)
    {
        var layers = await LayersAsync(pod.Metadata.Uid, cancellationToken).ConfigureAwait(false);
        return await Task.Run(() => new StorageUsage(Volumes(pod, cancellationToken), Containers(pod, layers, cancellationToken)), cancellationToken)
            .ConfigureAwait(false);
    }

    private async Task<Dictionary<string, DiskUse>> LayersAsync(string uid, CancellationToken cancellationToken)
    {
        var request = new ListContainerStatsRequest { Filter = new ContainerStatsFilter() };
        request.Filter.LabelSelector.Add(CriLabels.PodUid, uid);
        var response = await runtime.ListContainerStatsAsync(request, cancellationToken).ConfigureAwait(false);
        return response.Stats
            .GroupBy(s => s.Attributes?.Metadata?.Name ?? "", StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.Select(LayerOf).MaxBy(u => u.Bytes), StringComparer.Ordinal);
    }

    private static DiskUse LayerOf(ContainerStats stats) =>
        new((long)(stats.WritableLayer?.UsedBytes?.Value ?? 0), (long)(stats.WritableLayer?.InodesUsed?.Value ?? 0));

    private Dictionary<string, DiskUse> Volumes(V1Pod pod, CancellationToken cancellationToken)
    {
        var result = new Dictionary<string, DiskUse>(StringComparer.Ordinal);
        foreach (var volume in pod.Spec.Volumes ?? [])
        {
            if (StorageLimits.IsLocal(volume) && VolumeLocation.Of(paths, pod.Metadata.Uid, volume) is { } path)
            {
                result[volume.Name] = Measure(path, cancellationToken);
            }
        }

        return result;
    }

    private Dictionary<string, ContainerStorage> Containers(V1Pod pod, Dictionary<string, DiskUse> layers, CancellationToken cancellationToken)
    {
        var logs = PodNames.LogDirectory(logsDirectory, pod);
        return layers.ToDictionary(
            l => l.Key, l => new ContainerStorage(l.Value, Measure(Path.Combine(logs, l.Key), cancellationToken)), StringComparer.Ordinal);
    }

    /// <summary>A directory that is not there yet, or no longer, holds nothing.</summary>
    private static DiskUse Measure(string path, CancellationToken cancellationToken) =>
        Directory.Exists(path) && FileTree.Measure(path, cancellationToken) is var (bytes, inodes) ? new DiskUse(bytes, inodes) : default;
}
