using System.Net;
using Podhost.Kubelet.Eviction.Pressure;
using Podhost.Kubelet.Images;
using Podhost.Kubelet.UserNamespaces;

namespace Podhost.Kubelet.Hosting;

/// <summary>The kubelet's settings; names and defaults are KubeletConfiguration's where it has them.</summary>
public sealed record KubeletOptions
{
    /// <summary>metadata.name of the node; lower case.</summary>
    public required string NodeName { get; init; }

    /// <summary>Root of the kubelet's files, with <c>pods/&lt;uid&gt;</c> below it.</summary>
    public required string RootDirectory { get; init; }

    /// <summary>podLogsDir.</summary>
    public string PodLogsDirectory { get; init; } = "/var/log/pods";

    /// <summary>staticPodPath: a directory, or one file; empty for none.</summary>
    public string StaticPodPath { get; init; } = "";

    /// <summary>fileCheckFrequency: how often static pods are read although nothing seems to have changed.</summary>
    public TimeSpan FileCheckFrequency { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>staticPodURL: a page with a Pod or a list of Pods; null for none.</summary>
    public Uri? StaticPodUrl { get; init; }

    /// <summary>staticPodURLHeader: sent with each request for it.</summary>
    public IReadOnlyList<(string Name, string Value)> StaticPodUrlHeaders { get; init; } = [];

    /// <summary>httpCheckFrequency: how often the page is asked for.</summary>
    public TimeSpan HttpCheckFrequency { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>maxPods.</summary>
    public int MaxPods { get; init; } = 110;

    /// <summary>seccompDefault: a container that says nothing has the runtime's profile, not none.</summary>
    public bool SeccompDefault { get; init; }

    /// <summary>userNamespaces.idsPerPod: how many users of the machine a pod with users of its own gets; a multiple of 65536.</summary>
    public uint UserIdsPerPod { get; init; } = UserRange.PerPod;

    /// <summary>podPidsLimit; null for no limit of its own. The cgroups apply it.</summary>
    public long? PodPidsLimit { get; init; }

    /// <summary>systemReserved: quantities by resource.</summary>
    public IReadOnlyDictionary<string, string> SystemReserved { get; init; } = new Dictionary<string, string>();

    /// <summary>kubeReserved.</summary>
    public IReadOnlyDictionary<string, string> KubeReserved { get; init; } = new Dictionary<string, string>();

    /// <summary>When pods are evicted because the node runs short. What hard thresholds keep free is not allocatable either.</summary>
    public EvictionOptions Eviction { get; init; } = new();

    /// <summary>enforceNodeAllocatable: pods together are held to the node's allocatable memory and CPU weight.</summary>
    public bool EnforceNodeAllocatable { get; init; } = true;

    /// <summary>How often the node, and pods with limits of local storage, are measured; upstream's evictionMonitoringPeriod.</summary>
    public TimeSpan EvictionMonitoringPeriod { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>crashLoopBackOff.maxContainerRestartPeriod.</summary>
    public TimeSpan MaxContainerRestartPeriod { get; init; } = TimeSpan.FromSeconds(300);

    /// <summary>maxParallelImagePulls.</summary>
    public int MaxParallelImagePulls { get; init; } = 5;

    /// <summary>nodeLeaseDurationSeconds; renewed at a quarter of it.</summary>
    public TimeSpan NodeLeaseDuration { get; init; } = TimeSpan.FromSeconds(40);

    /// <summary>nodeStatusReportFrequency: how often an unchanged node status is written.</summary>
    public TimeSpan NodeStatusReportFrequency { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>nodeStatusUpdateFrequency: how often the node is looked at.</summary>
    public TimeSpan NodeStatusUpdateFrequency { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often everything in the runtime is listed, to find what its events missed.</summary>
    public TimeSpan RuntimeRelistPeriod { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>containerLogMaxSize in bytes: from which size a running container's log is rotated; negative: never.</summary>
    public long ContainerLogMaxBytes { get; init; } = 10 * 1024 * 1024;

    /// <summary>containerLogMaxFiles: how many files a container may have, the current one among them; 2 or more.</summary>
    public int ContainerLogMaxFiles { get; init; } = 5;

    /// <summary>containerLogMonitorInterval: how often logs are looked at.</summary>
    public TimeSpan ContainerLogMonitorInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>containerLogMaxWorkers: how many logs are rotated at once; 1 or more.</summary>
    public int ContainerLogMaxWorkers { get; init; } = 1;

    /// <summary>When images are removed.</summary>
    public ImageGarbageOptions ImageGarbage { get; init; } = new();

    /// <summary>imagePullCredentialsVerificationPolicy.</summary>
    public PullVerificationPolicy ImagePullCredentialsVerificationPolicy { get; init; }

    /// <summary>preloadedImagesVerificationAllowlist, for the policy NeverVerifyAllowlistedImages.</summary>
    public IReadOnlyList<string> PreloadedImagesVerificationAllowlist { get; init; } = [];

    /// <summary>The image of infra containers, which is never removed; empty where the runtime has it built in or keeps it itself.</summary>
    public string PodInfraContainerImage { get; init; } = "";

    /// <summary>Addresses of the node, primary first; empty: that of the default route.</summary>
    public IReadOnlyList<string> NodeAddresses { get; init; } = [];

    /// <summary>Port of the kubelet's HTTPS server, for status.daemonEndpoints.</summary>
    public int Port { get; init; } = 10250;

    /// <summary>healthzPort: /healthz without authentication; 0 for none.</summary>
    public int HealthzPort { get; init; }

    /// <summary>healthzBindAddress.</summary>
    public IPAddress HealthzBindAddress { get; init; } = IPAddress.Loopback;

    /// <summary>Labels that the node registers with, besides the well-known ones.</summary>
    public IReadOnlyDictionary<string, string> NodeLabels { get; init; } = new Dictionary<string, string>();

    /// <summary>Reported as status.nodeInfo.kubeletVersion.</summary>
    public string Version { get; init; } = "v1.36.0";

    /// <summary>Sysctls that pods may set beyond the safe set; a trailing <c>*</c> is a prefix.</summary>
    public IReadOnlyList<string> AllowedUnsafeSysctls { get; init; } = [];
}
