namespace Podhost.Kubelet.Eviction;

/// <summary>What a pod holds on the node's disk at one moment, in allocated bytes.</summary>
/// <param name="Volumes">Its local volumes (<see cref="StorageLimits.IsLocal"/>), by name.</param>
/// <param name="Containers">Its running containers, by name.</param>
internal sealed record StorageUsage(IReadOnlyDictionary<string, long> Volumes, IReadOnlyDictionary<string, ContainerStorage> Containers)
{
    /// <summary>Everything together.</summary>
    public long Total => Volumes.Values.Sum() + Containers.Values.Sum(c => c.Total);
}

/// <summary>What a container holds on the disk, in bytes.</summary>
/// <param name="Layer">Its writable layer.</param>
/// <param name="Logs">Its logs, those of earlier instances included.</param>
internal readonly record struct ContainerStorage(long Layer, long Logs)
{
    /// <summary>Both.</summary>
    public long Total => Layer + Logs;
}
