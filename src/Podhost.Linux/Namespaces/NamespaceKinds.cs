namespace Podhost.Linux.Namespaces;

/// <summary>Kinds of namespaces, as the flags of unshare(2) and setns(2).</summary>
[Flags]
public enum NamespaceKinds
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Mounts.</summary>
    Mount = 0x20000,

    /// <summary>Host name.</summary>
    Uts = 0x4000000,

    /// <summary>System V IPC and POSIX message queues.</summary>
    Ipc = 0x8000000,

    /// <summary>Users and groups. A process with several threads cannot enter or make one.</summary>
    User = 0x10000000,

    /// <summary>Process ids, for children.</summary>
    Pid = 0x20000000,

    /// <summary>Network.</summary>
    Network = 0x40000000,
}
