using System.CommandLine;
using System.CommandLine.Parsing;
using Podhost.Configuration;

namespace Podhost.Commands;

/// <summary>The options that say which instance is meant and how it is set up. A flag beats the configuration file, the file beats the default.</summary>
internal sealed class InstanceOptions
{
    private const string UnixScheme = "unix://";
    private static readonly PodhostOptions Defaults = new();

    private readonly Option<string?> _config = Text("--config", "YAML file with a PodhostConfiguration and/or a KubeletConfiguration");
    private readonly Option<string?> _dataDir = Text("--data-dir", $"directory of durable state (default {Defaults.DataDir})");
    private readonly Option<string?> _runDir = Text("--run-dir", $"directory of run-time state (default {Defaults.RunDir})");
    private readonly Option<string?> _podLogsDir = Text("--pod-logs-dir", $"directory of container logs (default {Defaults.PodLogsDir})");
    private readonly Option<string?> _bindAddress = Text("--bind-address", $"address on which the API server listens (default {Defaults.BindAddress})");
    private readonly Option<int?> _securePort = Number("--secure-port", $"HTTPS port of the API server (default {Defaults.SecurePort})");
    private readonly Option<int?> _kubeletPort = Number("--kubelet-port", $"HTTPS port of the kubelet (default {Defaults.KubeletPort})");
    private readonly Option<string?> _nodeName = Text("--node-name", "name of the node (default the host name)");
    private readonly Option<string?> _nodeIP = Text("--node-ip", "address of the node, or one of each family, separated by a comma (default those of the default routes)");
    private readonly Option<string?> _bridge = Text("--bridge", $"bridge device of the pod network (default {Defaults.Bridge})");
    private readonly Option<string?> _podCidr = Text("--pod-cidr", $"range of pod addresses, or one of each family, separated by a comma; the first is the primary one (default {Defaults.PodCidrs[0]})", "--cluster-cidr");
    private readonly Option<bool?> _podCidrFromNode = new("--pod-cidr-from-node") { Description = "take the range that the control plane gives this node (podhost kubelet --kubeconfig)" };
    private readonly Option<bool?> _allocateNodeCidrs = new("--allocate-node-cidrs") { Description = "give each node a range of its own out of --pod-cidr" };
    private readonly Option<int?> _nodeCidrMaskSize = Number("--node-cidr-mask-size", $"length of the prefix of a node's range of IPv4 (default {Defaults.NodeCidrMaskSize})", "--node-cidr-mask-size-ipv4");
    private readonly Option<int?> _nodeCidrMaskSizeIPv6 = Number("--node-cidr-mask-size-ipv6", $"length of the prefix of a node's range of IPv6 (default {Defaults.NodeCidrMaskSizeIPv6})");
    private readonly Option<string?> _serviceCidr = Text("--service-cidr", $"range of Service addresses, or one of each family, separated by a comma (default {Defaults.ServiceCidrs[0]}, and a range of IPv6 where pods have one)", "--service-cluster-ip-range");
    private readonly Option<string?> _clusterDomain = Text("--cluster-domain", $"cluster DNS domain (default {Defaults.ClusterDomain})");
    private readonly Option<string?> _clusterDns = Text("--cluster-dns", "nameservers of pods, separated by commas (default the instance's own server)");
    private readonly Option<string?> _cgroupRoot = Text("--cgroup-root", $"parent cgroup of all pods (default {Defaults.CgroupRoot})");
    private readonly Option<string?> _podManifestPath = Text("--pod-manifest-path", "directory of static pod manifests");
    private readonly Option<bool?> _staticPodObjects = new("--static-pod-objects") { Description = "ConfigMaps and Secrets beside static pods are for them (podhost kubelet without an API server)" };
    private readonly Option<string?> _infraImage = Text("--pod-infra-container-image", "image of the infra (pause) container (default built in)");
    private readonly Option<string?> _runtimeEndpoint = Text("--container-runtime-endpoint", "CRI socket of another runtime (default the embedded runtime)");
    private readonly Option<bool?> _serviceProxy = new("--service-proxy")
    {
        Description = "serve Services on this node through nftables (default true; false for a kubelet that joins a cluster with a proxy of its own)",
    };

    private readonly Option<string?> _criSocket = Text("--cri-socket", "socket on which the embedded runtime serves CRI beside the own kubelet (default none)");
    private readonly Option<string?> _cniConfDir = Text("--cni-conf-dir", "directory of CNI configurations, whose network replaces the built-in bridge (default none)");
    private readonly Option<string?> _cniBinDir = Text("--cni-bin-dir", $"directories of CNI plugins, separated by colons (default {Defaults.CniBinDir})");
    private readonly Option<string?> _nodeMonitorGrace = Text("--node-monitor-grace-period", "how long a node may be silent before it is marked Unknown (default 50s)");
    private readonly Option<string?> _tokenAuthFile = Text("--token-auth-file", "CSV file of fixed bearer tokens of the API server: token,user,uid,\"group1,group2\" (default none)");
    private readonly Option<string?> _store = Text("--store", "memory:, sqlite:PATH or etcd:URL (default SQLite in the data directory)");
    private readonly Option<string?> _logLevel = Text("--log-level", $"trace, debug, information, warning or error (default {Defaults.LogLevel})");

    /// <summary>Adds every option. All commands take all of them: what says where an instance is started says where it is found.</summary>
    public void AddAllTo(Command command)
    {
        foreach (var option in (Option[])
            [_config, _dataDir, _runDir, _podLogsDir, _bindAddress, _securePort, _kubeletPort, _nodeName, _nodeIP, _bridge, _podCidr, _podCidrFromNode, _allocateNodeCidrs, _nodeCidrMaskSize, _nodeCidrMaskSizeIPv6, _serviceCidr, _clusterDomain, _clusterDns,
             _cgroupRoot, _podManifestPath, _staticPodObjects, _infraImage, _runtimeEndpoint, _criSocket, _cniConfDir, _cniBinDir, _serviceProxy, _nodeMonitorGrace, _tokenAuthFile, _store, _logLevel])
        {
            command.Options.Add(option);
        }
    }

    /// <summary>The options of an invocation.</summary>
    /// <exception cref="ConfigurationException">A value cannot be used.</exception>
    public PodhostOptions Read(ParseResult parsed)
    {
        var o = Given(parsed, _config) is { } file ? ConfigurationFile.Read(file, Defaults) : Defaults;
        return OptionRules.Check(o with
        {
            DataDir = Path.GetFullPath(Given(parsed, _dataDir) ?? o.DataDir),
            RunDir = Path.GetFullPath(Given(parsed, _runDir) ?? o.RunDir),
            PodLogsDir = Path.GetFullPath(Given(parsed, _podLogsDir) ?? o.PodLogsDir),
            BindAddressGiven = Given(parsed, _bindAddress) is { } bind ? OptionParsing.Address(_bindAddress.Name, bind) : o.BindAddressGiven,
            SecurePort = Given(parsed, _securePort) ?? o.SecurePort,
            KubeletPort = Given(parsed, _kubeletPort) ?? o.KubeletPort,
            NodeName = Given(parsed, _nodeName) ?? o.NodeName,
            NodeIPs = Given(parsed, _nodeIP) is { } ip ? OptionParsing.Addresses(_nodeIP.Name, ip) : o.NodeIPs,
            Bridge = Given(parsed, _bridge) ?? o.Bridge,
            PodCidrs = Given(parsed, _podCidr) is { } pods ? OptionParsing.Networks(_podCidr.Name, pods) : o.PodCidrs,
            PodCidrGiven = o.PodCidrGiven || Given(parsed, _podCidr) is not null,
            PodCidrFromNode = Given(parsed, _podCidrFromNode) ?? o.PodCidrFromNode,
            AllocateNodeCidrs = Given(parsed, _allocateNodeCidrs) ?? o.AllocateNodeCidrs,
            NodeCidrMaskSize = Given(parsed, _nodeCidrMaskSize) ?? o.NodeCidrMaskSize,
            NodeCidrMaskSizeIPv6 = Given(parsed, _nodeCidrMaskSizeIPv6) ?? o.NodeCidrMaskSizeIPv6,
            ServiceCidrsGiven = Given(parsed, _serviceCidr) is { } services ? OptionParsing.Networks(_serviceCidr.Name, services) : o.ServiceCidrsGiven,
            ClusterDomain = Given(parsed, _clusterDomain) ?? o.ClusterDomain,
            ClusterDns = Given(parsed, _clusterDns) is { } servers ? OptionParsing.Addresses(_clusterDns.Name, servers) : o.ClusterDns,
            CgroupRoot = Given(parsed, _cgroupRoot) ?? o.CgroupRoot,
            PodManifestPath = Given(parsed, _podManifestPath) ?? o.PodManifestPath,
            StaticPodObjects = Given(parsed, _staticPodObjects) ?? o.StaticPodObjects,
            PodInfraContainerImage = Given(parsed, _infraImage) ?? o.PodInfraContainerImage,
            ContainerRuntimeEndpoint = Given(parsed, _runtimeEndpoint) ?? o.ContainerRuntimeEndpoint,
            ServiceProxy = Given(parsed, _serviceProxy) ?? o.ServiceProxy,
            CriSocket = SocketPath(Given(parsed, _criSocket) ?? o.CriSocket),
            CniConfDir = Given(parsed, _cniConfDir) ?? o.CniConfDir,
            CniBinDir = Given(parsed, _cniBinDir) ?? o.CniBinDir,
            NodeMonitorGracePeriod = Given(parsed, _nodeMonitorGrace) is { } grace ? OptionParsing.Duration(_nodeMonitorGrace.Name, grace) : o.NodeMonitorGracePeriod,
            TokenAuthFile = Given(parsed, _tokenAuthFile) ?? o.TokenAuthFile,
            Store = Given(parsed, _store) ?? o.Store,
            LogLevel = Given(parsed, _logLevel) ?? o.LogLevel,
        });
    }

    private static string? SocketPath(string? given) =>
        given is not null && given.StartsWith(UnixScheme, StringComparison.Ordinal) ? given[UnixScheme.Length..] : given;

    private static T? Given<T>(ParseResult parsed, Option<T?> option) =>
        parsed.GetResult(option) is OptionResult { Implicit: false } result ? result.GetValueOrDefault<T?>() : default;

    private static Option<string?> Text(string name, string description, params string[] aliases) => new(name, aliases) { Description = description };

    private static Option<int?> Number(string name, string description, params string[] aliases) => new(name, aliases) { Description = description };
}
