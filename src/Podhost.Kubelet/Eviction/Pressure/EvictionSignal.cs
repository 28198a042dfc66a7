namespace Podhost.Kubelet.Eviction.Pressure;

/// <summary>What of the node may run short. The order is that of upstream's documentation.</summary>
public enum EvictionSignal
{
    /// <summary>memory.available: bytes of the machine's memory beyond the working set.</summary>
    MemoryAvailable,

    /// <summary>allocatableMemory.available: bytes that pods may use together beyond their working set. It has the hard threshold of memory.available.</summary>
    AllocatableMemoryAvailable,

    /// <summary>nodefs.available: bytes of the file system of the kubelet's directory.</summary>
    NodeFsAvailable,

    /// <summary>nodefs.inodesFree.</summary>
    NodeFsInodesFree,

    /// <summary>imagefs.available: bytes of the file system of the runtime's images and writable layers.</summary>
    ImageFsAvailable,

    /// <summary>imagefs.inodesFree.</summary>
    ImageFsInodesFree,

    /// <summary>pid.available: process numbers.</summary>
    PidAvailable,
}

/// <summary>Names of signals, of what they measure and of the node conditions that they raise. Source: upstream's eviction helpers.</summary>
internal static class EvictionSignals
{
    public const string MemoryPressure = "MemoryPressure";
    public const string DiskPressure = "DiskPressure";
    public const string PidPressure = "PIDPressure";

    private static readonly Dictionary<string, EvictionSignal> Names = new(StringComparer.Ordinal)
    {
        ["memory.available"] = EvictionSignal.MemoryAvailable,
        ["nodefs.available"] = EvictionSignal.NodeFsAvailable,
        ["nodefs.inodesFree"] = EvictionSignal.NodeFsInodesFree,
        ["imagefs.available"] = EvictionSignal.ImageFsAvailable,
        ["imagefs.inodesFree"] = EvictionSignal.ImageFsInodesFree,
        ["pid.available"] = EvictionSignal.PidAvailable,
    };

    /// <summary>The signal of a configuration.</summary>
    /// <exception cref="FormatException">There is none of that name, or it cannot be configured.</exception>
    public static EvictionSignal Parse(string name) =>
        Names.TryGetValue(name, out var signal) ? signal : throw new FormatException($"unsupported eviction signal {name}");

    /// <summary>Its name in a configuration.</summary>
    public static string NameOf(EvictionSignal signal) =>
        signal == EvictionSignal.AllocatableMemoryAvailable ? "allocatableMemory.available" : Names.First(n => n.Value == signal).Key;

    /// <summary>What is reclaimed by it, as messages name it.</summary>
    public static string ResourceOf(EvictionSignal signal) => signal switch
    {
        EvictionSignal.MemoryAvailable or EvictionSignal.AllocatableMemoryAvailable => "memory",
        EvictionSignal.NodeFsAvailable or EvictionSignal.ImageFsAvailable => "ephemeral-storage",
        EvictionSignal.PidAvailable => "pids",
        _ => "inodes",
    };

    /// <summary>The node condition that it raises.</summary>
    public static string ConditionOf(EvictionSignal signal) => IsMemory(signal) ? MemoryPressure : IsDisk(signal) ? DiskPressure : PidPressure;

    public static bool IsMemory(EvictionSignal signal) => signal is EvictionSignal.MemoryAvailable or EvictionSignal.AllocatableMemoryAvailable;

    public static bool IsDisk(EvictionSignal signal) => !IsMemory(signal) && signal != EvictionSignal.PidAvailable;

    public static bool IsInodes(EvictionSignal signal) => signal is EvictionSignal.NodeFsInodesFree or EvictionSignal.ImageFsInodesFree;
}
