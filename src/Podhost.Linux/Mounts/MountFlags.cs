namespace Podhost.Linux.Mounts;

/// <summary>Flags of mount(2).</summary>
[Flags]
public enum MountFlags : ulong
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary>Read-only.</summary>
    ReadOnly = 1,

    /// <summary>Set-user-ID bits and file capabilities have no effect.</summary>
    NoSuid = 2,

    /// <summary>Device nodes have no effect.</summary>
    NoDev = 4,

    /// <summary>Nothing is executed.</summary>
    NoExec = 8,

    /// <summary>Change the flags of an existing mount.</summary>
    Remount = 32,

    /// <summary>Show a tree at a second place.</summary>
    Bind = 4096,

    /// <summary>With bind or a propagation: the mounts below too.</summary>
    Recursive = 16384,

    /// <summary>Mount events neither leave nor enter.</summary>
    Private = 1 << 18,

    /// <summary>Mount events enter and do not leave.</summary>
    Slave = 1 << 19,

    /// <summary>Mount events leave and enter.</summary>
    Shared = 1 << 20,
}
