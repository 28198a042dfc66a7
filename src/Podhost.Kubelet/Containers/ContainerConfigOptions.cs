using Podhost.Kubelet.Resources;

namespace Podhost.Kubelet.Containers;

/// <summary>The node's part of sandbox and container configurations; the fields of KubeletConfiguration with these names.</summary>
public sealed record ContainerConfigOptions
{
    /// <summary>The kubelet's directory; pods are in <c>pods/&lt;uid&gt;</c> below it.</summary>
    public required string RootDirectory { get; init; }

    /// <summary>Logs of pods.</summary>
    public string PodLogsDirectory { get; init; } = "/var/log/pods";

    /// <summary>Localhost seccomp profiles are relative to it.</summary>
    public required string SeccompProfileRoot { get; init; }

    /// <summary>Nameservers of pods with dnsPolicy ClusterFirst; where there are none they get the node's.</summary>
    public IReadOnlyList<string> ClusterDns { get; init; } = [];

    /// <summary>Search domain of the cluster.</summary>
    public string ClusterDomain { get; init; } = "cluster.local";

    /// <summary>The node's resolver configuration; empty: no lookups but the node's own resolver.</summary>
    public string ResolvConf { get; init; } = "/etc/resolv.conf";

    /// <summary>The node's hosts file, for pods on the host network.</summary>
    public string HostsFile { get; init; } = "/etc/hosts";

    /// <summary>The node's hostname, which pods on the host network have.</summary>
    public string NodeHostname { get; init; } = System.Environment.MachineName;

    /// <summary>Sysctls beyond the safe set; a trailing <c>*</c> is a prefix.</summary>
    public IReadOnlyList<string> AllowedUnsafeSysctls { get; init; } = [];

    /// <summary>Containers without a seccomp profile get RuntimeDefault in place of Unconfined.</summary>
    public bool SeccompDefault { get; init; }

    /// <summary>From requests and limits to cgroup values.</summary>
    public ResourceOptions Resources { get; init; } = new();
}
