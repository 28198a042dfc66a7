using k8s.Models;

namespace Podhost.Kubelet.Eviction.Pressure;

/// <summary>What a pod uses of what the node lacks.</summary>
/// <param name="Pod">The pod.</param>
internal sealed record PodShare(V1Pod Pod)
{
    /// <summary>Working sets of its containers in bytes, by name; null where they are not known.</summary>
    public IReadOnlyDictionary<string, long>? Memory { get; init; }

    /// <summary>What it holds on the disk; null where it is not known or was not asked for.</summary>
    public StorageUsage? Storage { get; init; }

    /// <summary>Its processes; null where they are not known.</summary>
    public long? Processes { get; init; }

    /// <summary>What it uses of what a signal measures; null where it is not known.</summary>
    /// <param name="signal">The signal.</param>
    /// <param name="separateImages">Images and writable layers have a file system of their own.</param>
    public long? Of(EvictionSignal signal, bool separateImages) =>
        EvictionSignals.IsMemory(signal) ? Memory?.Values.Sum() : signal == EvictionSignal.PidAvailable ? Processes : OnDisk(signal, separateImages);

    private long? OnDisk(EvictionSignal signal, bool separateImages)
    {
        if (Storage is not { } storage)
        {
            return null;
        }

        var ofImages = signal is EvictionSignal.ImageFsAvailable or EvictionSignal.ImageFsInodesFree;
        var use = new DiskUse(0, 0);
        if (!separateImages || ofImages)
        {
            use = storage.Containers.Values.Aggregate(use, (sum, c) => sum + c.Layer);
        }

        if (!separateImages || !ofImages)
        {
            use = storage.Containers.Values.Aggregate(use, (sum, c) => sum + c.Logs);
            use = storage.Volumes.Values.Aggregate(use, (sum, v) => sum + v);
        }

        return EvictionSignals.IsInodes(signal) ? use.Inodes : use.Bytes;
    }
}
