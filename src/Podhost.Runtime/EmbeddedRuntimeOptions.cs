using System.Net;

namespace Podhost.Runtime;

/// <summary>What the embedded runtime is told by its composition root. Two instances differ in both directories, bridge and range.</summary>
public sealed record EmbeddedRuntimeOptions
{
    /// <summary>State that survives a reboot: <c>&lt;data-dir&gt;/runtime</c>.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>State of this boot, on a tmpfs: sockets, namespaces, exit codes (<c>/run/podhost</c>).</summary>
    public required string RunDirectory { get; init; }

    /// <summary>The name of the pods' bridge, at most 15 letters.</summary>
    public string Bridge { get; init; } = "podhost0";

    /// <summary>
    /// The ranges of pods on this node, at most one of IPv4 and one of IPv6: a pod has an address of each, that of the first is the one it is known by.
    /// The first address of each is the bridge's. UpdateRuntimeConfig does not move a range in use.
    /// </summary>
    public IReadOnlyList<IPNetwork> PodCidrs { get; init; } = [IPNetwork.Parse("10.88.0.0/16")];

    /// <summary>MTU of pods' interfaces; 0 for the kernel's.</summary>
    public int Mtu { get; init; }

    /// <summary>Directory of CNI configurations, whose network replaces the bridge; null for the bridge.</summary>
    public string? CniConfDirectory { get; init; }

    /// <summary>Directories of CNI plugins, searched in order.</summary>
    public IReadOnlyList<string> CniBinDirectories { get; init; } = ["/opt/cni/bin"];

    /// <summary>OCI runtimes to try in order: names or absolute paths.</summary>
    public IReadOnlyList<string> OciRuntimes { get; init; } = ["crun", "runc"];

    /// <summary>Named runtime handlers (RuntimeClass) and their OCI runtime's path; the empty handler is the runtime chosen by trying.</summary>
    public IReadOnlyDictionary<string, string> RuntimeHandlers { get; init; } = new Dictionary<string, string>();

    /// <summary>conmon's name or absolute path.</summary>
    public string Conmon { get; init; } = "conmon";

    /// <summary>catatonit's name or absolute path.</summary>
    public string Catatonit { get; init; } = "catatonit";

    /// <summary>An image whose program is the infra container (<c>--pod-infra-container-image</c>); null for catatonit.</summary>
    public string? InfraImage { get; init; }

    /// <summary>The cgroup parent of sandboxes whose configuration names none.</summary>
    public string DefaultCgroupParent { get; init; } = "/podhost";

    /// <summary>Where seccomp profiles of type Localhost lie, when their reference is not absolute.</summary>
    public string SeccompProfileRoot { get; init; } = "/var/lib/kubelet/seccomp";

    /// <summary>The version that the Version call reports.</summary>
    public string Version { get; init; } = "0.1.0";
}
