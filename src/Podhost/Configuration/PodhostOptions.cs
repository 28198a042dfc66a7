using System.Net;
using System.Net.Sockets;
using Podhost.ApiServer.Admission.PodSecurity;

namespace Podhost.Configuration;

/// <summary>Everything that a Podhost instance is started with. Two instances with different directories, ports, bridges and ranges run side by side.</summary>
internal sealed record PodhostOptions
{
    /// <summary>Durable state: store, certificates, images, containers, volumes.</summary>
    public string DataDir { get; init; } = "/var/lib/podhost";

    /// <summary>State that a reboot may clear: network namespaces, sockets, exit files.</summary>
    public string RunDir { get; init; } = "/run/podhost";

    /// <summary>Container logs.</summary>
    public string PodLogsDir { get; init; } = "/var/log/pods";

    /// <summary>Address on which the API server and the kubelet listen, where it was given.</summary>
    public IPAddress? BindAddressGiven { get; init; }

    /// <summary>Address on which they listen: else all addresses of the families of the cluster.</summary>
    public IPAddress BindAddress => BindAddressGiven ?? (PodCidrs.Concat(ServiceCidrs).Any(IsIPv6) || NodeIPs?.Any(IsIPv6) == true ? IPAddress.IPv6Any : IPAddress.Any);

    /// <summary>HTTPS port of the API server.</summary>
    public int SecurePort { get; init; } = 6443;

    /// <summary>HTTPS port of the kubelet; 0 lets the system choose.</summary>
    public int KubeletPort { get; init; } = 10250;

    /// <summary>Name of the node.</summary>
    public string NodeName { get; init; } = DefaultNodeName();

    /// <summary>Addresses of the node that pods and clients reach, at most one of each family; null: those of the default routes.</summary>
    public IReadOnlyList<IPAddress>? NodeIPs { get; init; }

    /// <summary>Name of the bridge device of the pod network.</summary>
    public string Bridge { get; init; } = "podhost0";

    /// <summary>
    /// Ranges of pod addresses: this node's, and of a control plane without a node of its own the cluster's. At most one of each family; the first one's
    /// is the cluster's primary family.
    /// </summary>
    public IReadOnlyList<IPNetwork> PodCidrs { get; init; } = [IPNetwork.Parse("10.85.0.0/16")];

    /// <summary><see cref="PodCidrs"/> were given.</summary>
    public bool PodCidrGiven { get; init; }

    /// <summary>The ranges of all nodes' pods, where this node's are parts of them; null: <see cref="PodCidrs"/>.</summary>
    public IReadOnlyList<IPNetwork>? ClusterCidrs { get; init; }

    /// <summary>Each node gets a range of its own out of the cluster's.</summary>
    public bool AllocateNodeCidrs { get; init; }

    /// <summary>Length of the prefix of such a range of IPv4.</summary>
    public int NodeCidrMaskSize { get; init; } = 24;

    /// <summary>Length of the prefix of such a range of IPv6.</summary>
    public int NodeCidrMaskSizeIPv6 { get; init; } = 64;

    /// <summary>A node that joins takes the range that the control plane gives it.</summary>
    public bool PodCidrFromNode { get; init; }

    /// <summary>Ranges of Service addresses, where they were given.</summary>
    public IReadOnlyList<IPNetwork>? ServiceCidrsGiven { get; init; }

    /// <summary>Ranges of Service addresses, the default family's first: where none were given one for each family of pods.</summary>
    public IReadOnlyList<IPNetwork> ServiceCidrs => ServiceCidrsGiven ?? [.. PodCidrs.Select(range => IsIPv6(range) ? DefaultServicesIPv6 : DefaultServices)];

    /// <summary>Cluster DNS domain.</summary>
    public string ClusterDomain { get; init; } = "cluster.local";

    /// <summary>Nameservers of pods with dnsPolicy ClusterFirst; null: the instance's own server.</summary>
    public IReadOnlyList<IPAddress>? ClusterDns { get; init; }

    /// <summary>Parent cgroup of all pods' cgroups, relative to the cgroup root.</summary>
    public string CgroupRoot { get; init; } = "/";

    /// <summary>Directory of static pod manifests, or null.</summary>
    public string? PodManifestPath { get; init; }

    /// <summary>ConfigMaps and Secrets in that directory are for the static pods of a kubelet without an API server.</summary>
    public bool StaticPodObjects { get; init; }

    /// <summary>Image of the infra container; null: the built-in one.</summary>
    public string? PodInfraContainerImage { get; init; }

    /// <summary>CRI socket of another runtime, for example unix:///run/containerd/containerd.sock; null: the embedded runtime.</summary>
    public string? ContainerRuntimeEndpoint { get; init; }

    /// <summary>Whether this node serves Services itself; null: in an instance of its own yes, on a node that joined another control plane no.</summary>
    public bool? ServiceProxy { get; init; }

    /// <summary>Path of a socket on which the embedded runtime serves CRI beside this instance's own kubelet; null: none.</summary>
    public string? CriSocket { get; init; }

    /// <summary>Directory of CNI configurations for the embedded runtime; null: the built-in bridge.</summary>
    public string? CniConfDir { get; init; }

    /// <summary>Directories of CNI plugins, separated by colons.</summary>
    public string CniBinDir { get; init; } = "/opt/cni/bin:/usr/lib/cni";

    /// <summary>How long a node may be silent before it and its pods are marked.</summary>
    public TimeSpan NodeMonitorGracePeriod { get; init; } = TimeSpan.FromSeconds(50);

    /// <summary>CSV file of fixed bearer tokens of the API server, or null.</summary>
    public string? TokenAuthFile { get; init; }

    /// <summary>The store: null for SQLite in the data directory, or memory:, sqlite:PATH, etcd:URL.</summary>
    public string? Store { get; init; }

    /// <summary>Registry mirrors and insecure registries.</summary>
    public IReadOnlyDictionary<string, RegistryOptions> Registries { get; init; } = new Dictionary<string, RegistryOptions>();

    /// <summary>The kubelet's own configuration, a KubeletConfiguration as JSON, or null.</summary>
    public System.Text.Json.Nodes.JsonObject? Kubelet { get; init; }

    /// <summary>Pod Security admission where namespaces do not say otherwise, and its exemptions.</summary>
    public PodSecurityOptions PodSecurity { get; init; } = new();

    /// <summary>Lowest level that is logged: trace, debug, information, warning, error.</summary>
    public string LogLevel { get; init; } = "information";

    /// <summary>Store specification with its default filled in.</summary>
    public string StoreSpec => Store ?? "sqlite:" + Path.Combine(DataDir, "store", "state.db");

    /// <summary>The administrator's kubeconfig.</summary>
    public string AdminKubeconfig => Path.Combine(DataDir, "admin.kubeconfig");

    /// <summary>Base address under which this machine reaches the API server.</summary>
    public Uri ServerUrl => new UriBuilder(
        Uri.UriSchemeHttps, BindAddress.Equals(IPAddress.Any) || BindAddress.Equals(IPAddress.IPv6Any) ? "127.0.0.1" : BindAddress.ToString(), SecurePort).Uri;

    private static readonly IPNetwork DefaultServices = IPNetwork.Parse("10.96.0.0/16");
    private static readonly IPNetwork DefaultServicesIPv6 = IPNetwork.Parse("fd00:10:96::/112");

    private static bool IsIPv6(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6;

    private static bool IsIPv6(IPNetwork range) => IsIPv6(range.BaseAddress);

    private static string DefaultNodeName() => Environment.MachineName.ToLowerInvariant();
}

/// <summary>How one registry is reached.</summary>
/// <param name="Mirrors">Base URLs asked in order before the registry itself.</param>
/// <param name="Insecure">True for plain HTTP.</param>
/// <param name="Certs">Directory of ca.crt, client.cert and client.key; null for none.</param>
internal sealed record RegistryOptions(IReadOnlyList<string> Mirrors, bool Insecure, string? Certs);
