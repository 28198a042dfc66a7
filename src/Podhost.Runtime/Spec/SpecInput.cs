using Podhost.Cri.V1;
using Podhost.Linux.Cgroups;
using Podhost.Runtime.Images;

namespace Podhost.Runtime.Spec;

/// <summary>All that a container's OCI configuration is made from. Immutable; gathered by the effects, so that the making is pure.</summary>
internal sealed record SpecInput
{
    internal required string ContainerId { get; init; }

    internal required string SandboxId { get; init; }

    internal required ContainerConfig Config { get; init; }

    internal required PodSandboxConfig Sandbox { get; init; }

    internal required ImageConfig Image { get; init; }

    internal required string RootfsPath { get; init; }

    internal required ProcessUser User { get; init; }

    internal required HostFacts Host { get; init; }

    /// <summary>The cgroup of the container.</summary>
    internal required string CgroupPath { get; init; }

    /// <summary>Namespaces to join; a missing path means the host's namespace.</summary>
    internal required SpecNamespaces Namespaces { get; init; }

    /// <summary>The runtime's own files that are shown in the container, by destination.</summary>
    internal required IReadOnlyDictionary<string, string> SandboxFiles { get; init; }

    /// <summary>The users of the pod; null for the machine's own.</summary>
    internal UserMapping? Users { get; init; }

    /// <summary>Sources of mounts with mapped owners, by container path.</summary>
    internal IReadOnlyDictionary<string, string> MappedMounts { get; init; } = new Dictionary<string, string>();

    /// <summary>Sources of the image mounts, by container path.</summary>
    internal IReadOnlyDictionary<string, string> ImageMounts { get; init; } = new Dictionary<string, string>();

    /// <summary>The text of a Localhost seccomp profile, already in OCI's form; null for none.</summary>
    internal string? LocalSeccompProfile { get; init; }
}

/// <summary>Namespaces of a container: a path to join, null to stay in the host's, empty for a new one.</summary>
internal sealed record SpecNamespaces(string? Network, string? Ipc, string? Uts, string? Pid, string? User = null);

/// <summary>What the machine allows, found once at start.</summary>
internal sealed record HostFacts
{
    internal required CgroupMode CgroupMode { get; init; }

    internal required IReadOnlyCollection<string> Controllers { get; init; }

    /// <summary>The capabilities of this process as bits.</summary>
    internal required ulong Capabilities { get; init; }

    internal bool HasAppArmor { get; init; }

    /// <summary>The profile of containers that ask for none; null where none is loaded.</summary>
    internal string? DefaultAppArmorProfile { get; init; }

    /// <summary>The highest limit of open files that a container can be given.</summary>
    internal ulong MaxOpenFiles { get; init; } = 1048576;

    /// <summary>The lowest oom_score_adj that this process may give.</summary>
    internal int MinOomScoreAdjust { get; init; } = -1000;

    /// <summary>The host's device nodes, for privileged containers.</summary>
    internal IReadOnlyList<HostDevice> Devices { get; init; } = [];

    /// <summary>Swap is accounted, so that memory+swap can be limited.</summary>
    internal bool HasSwapAccounting { get; init; }
}

/// <summary>A device node.</summary>
internal sealed record HostDevice(string Path, char Type, long Major, long Minor, uint Mode, uint Uid, uint Gid);
