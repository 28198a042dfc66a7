namespace Podhost.Kubelet.Eviction;

/// <summary>What a pod holds on the node's disk at one moment.</summary>
/// <param name="Volumes">Its local volumes (<see cref="StorageLimits.IsLocal"/>), by name.</param>
/// <param name="Containers">Its running containers, by name.</param>
internal sealed record StorageUsage(IReadOnlyDictionary<string, DiskUse> Volumes, IReadOnlyDictionary<string, ContainerStorage> Containers)
{
    /// <summary>Everything together, in bytes.</summary>
    public long Total => Volumes.Values.Sum(v => v.Bytes) + Containers.Values.Sum(c => c.Total);
}

/// <summary>What a container holds on the disk.</summary>
/// <param name="Layer">Its writable layer.</param>
/// <param name="Logs">Its logs, those of earlier instances included.</param>
internal readonly record struct ContainerStorage(DiskUse Layer, DiskUse Logs)
{
    /// <summary>Both, in bytes.</summary>
    public long Total => Layer.Bytes + Logs.Bytes;
}

/// <summary>Files on a disk.</summary>
/// <param name="Bytes">Allocated bytes.</param>
/// <param name="Inodes">Their number.</param>
internal readonly record struct DiskUse(long Bytes, long Inodes)
{
    public static DiskUse operator +(DiskUse a, DiskUse b) => new(a.Bytes + b.Bytes, a.Inodes + b.Inodes);
}
