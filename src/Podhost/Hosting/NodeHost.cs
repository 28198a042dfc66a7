using System.Net;
using System.Security.Cryptography.X509Certificates;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Client;
using Podhost.Client.Events;
using Podhost.Client.Informers;
using Podhost.Configuration;
using Podhost.Cri.Services;
using Podhost.Kubelet.Containers;
using Podhost.Kubelet.Events;
using Podhost.Kubelet.Hosting;
using Podhost.Kubelet.Node;
using Podhost.Kubelet.Probes;
using Podhost.Kubelet.Resources;
using Podhost.Kubelet.Server;
using Podhost.Kubelet.Server.Metrics;
using Podhost.Kubelet.Sources;
using Podhost.Kubelet.UserNamespaces;
using Podhost.Kubelet.Volumes;
using Podhost.Linux.Cgroups;
using Podhost.Linux.Mounts;
using Podhost.Linux.Netlink;
using Podhost.Linux.Nftables;
using Podhost.Network.NodeRoutes;
using Podhost.Network.ServiceProxy;

namespace Podhost.Hosting;

/// <summary>The node of an instance: a kubelet on a container runtime, with an API server or on its own.</summary>
internal sealed class NodeHost
{
    private readonly PodhostOptions _options;
    private readonly IApiClient? _client;
    private readonly IRuntimeService _runtime;
    private readonly IImageService _images;
    private readonly KubeletCertificates? _certificates;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _logs;
    private readonly Random _random = new();
    private readonly List<Func<CancellationToken, Task>> _loops = [];
    private Informer<V1Service>? _services;

    /// <summary>A node.</summary>
    /// <param name="options">The instance.</param>
    /// <param name="client">The API server as system:node:NAME; null: standalone.</param>
    /// <param name="runtime">The container runtime.</param>
    /// <param name="images">Its images.</param>
    /// <param name="certificates">Of the kubelet's HTTPS API; null: a self-signed one, and no client certificates.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public NodeHost(PodhostOptions options, IApiClient? client, IRuntimeService runtime, IImageService images, KubeletCertificates? certificates, TimeProvider time, ILoggerFactory logs)
    {
        _certificates = certificates;
        _options = options;
        _client = client;
        _runtime = runtime;
        _images = images;
        _time = time;
        _logs = logs;
    }

    /// <summary>The API server as system:kube-proxy: Services are served on this node; null: they are not.</summary>
    public IApiClient? ServiceProxyClient { get; init; }

    /// <summary>Called once when the kubelet's HTTPS API is open.</summary>
    public Action? OnListening { get; init; }

    /// <summary>Nameservers of pods with dnsPolicy ClusterFirst.</summary>
    public required IReadOnlyList<string> ClusterDns { get; init; }

    /// <summary>Runs until cancelled; pods keep running.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var settings = KubeletSettings.Of(_options);
        var inventory = NodeInventory.Read(settings);
        var events = Events();
        var tree = new CgroupTree(CgroupLayout.Detect());
        var resources = new ResourceOptions
        {
            CgroupRoot = _options.CgroupRoot, PodPidsLimit = settings.PodPidsLimit, EnforceNodeAllocatable = settings.EnforceNodeAllocatable,
        }.For(tree);
        var cgroups = new CadvisorSource(tree, resources, inventory.Info);

        // The prober reports to the kubelet, the kubelet steers the prober: the report finds its way once both are there.
        KubeletHost? kubelet = null;
        await using var probes = new ProbeManager(_runtime, events, report => kubelet?.Report(report), new ProbeManagerOptions(), _time, _random);
        kubelet = new KubeletHost(settings, Dependencies(settings, inventory, events, probes, cgroups));
        await using var server = Server(settings, new KubeletServerServices
        {
            Pods = kubelet.Pods, Runtime = _runtime, Images = _images, RuntimeIsHere = _options.ContainerRuntimeEndpoint is null, Probes = probes, Cadvisor = cgroups,
            Metrics = kubelet.Counts,
        });
        await server.StartAsync(cancellationToken);
        OnListening?.Invoke();
        _loops.Add(kubelet.RunAsync);
        AddServiceProxy();
        AddNodeRoutes();
        await Loops.RunAllAsync(_loops, cancellationToken);
    }

    private KubeletDependencies Dependencies(KubeletOptions settings, NodeInventory inventory, IEventRecorder events, ProbeManager probes, CadvisorSource cgroups)
    {
        NodeResources Node() => inventory.Resources;
        var objects = Objects();
        var volumes = new VolumeManager(
            new VolumeManagerOptions { RootDirectory = settings.RootDirectory }, objects, Node, new Mounter(), _time, _logs.CreateLogger<VolumeManager>());
        _loops.Add(volumes.RunAsync);
        var (tree, resources, _) = cgroups;
        return new KubeletDependencies
        {
            Client = _client,
            Pods = Informer<V1Pod>($"spec.nodeName={_options.NodeName}"),
            Runtime = _runtime,
            Images = _images,
            Inventory = inventory,
            Configs = new ContainerConfigFactory(
                ConfigOptions(settings, resources),
                new ContainerConfigDependencies
                {
                    Objects = objects,
                    Volumes = volumes,
                    Events = events,
                    Node = Node,
                    Users = new PodUsers(Path.Combine(settings.RootDirectory, "pods"), () => UserRanges.Read(settings.UserIdsPerPod), settings.UserIdsPerPod),
                    HostIPs = () => inventory.HostIPs,
                }),
            Volumes = volumes,
            Cgroups = new PodCgroups(tree, resources, Node, _time),
            PodsCgroup = (tree, PodCgroupPath.Root(resources)),
            Probes = probes,
            Hooks = new LifecycleHookRunner(_runtime, _time),
            Objects = objects,
            Events = events,
            Time = _time,
            Loggers = _logs,
        };
    }

    private ContainerConfigOptions ConfigOptions(KubeletOptions settings, ResourceOptions resources) => new()
    {
        RootDirectory = settings.RootDirectory,
        PodLogsDirectory = settings.PodLogsDirectory,
        SeccompProfileRoot = Path.Combine(settings.RootDirectory, "seccomp"),
        ClusterDns = ClusterDns,
        ClusterDomain = _options.ClusterDomain,
        ResolvConf = DnsSettings.ResolvConf(_options),
        AllowedUnsafeSysctls = settings.AllowedUnsafeSysctls,
        SeccompDefault = settings.SeccompDefault,
        Resources = resources,
    };

    private KubeletServer Server(KubeletOptions settings, KubeletServerServices services)
    {
        var access = KubeletAccessSettings.Of(_options);
        var review = new KubeletAccessReview(_client, access, _time);
        var given = access.Certificate();
        return new KubeletServer(
            new KubeletServerOptions
            {
                Endpoint = new IPEndPoint(_options.BindAddress, settings.Port),
                NodeName = settings.NodeName,
                Certificate = () => given ?? _certificates?.Serving(),
                ClientAuthorities = [.. access.ClientAuthorities(), .. _certificates?.ClientAuthorities ?? []],
                Anonymous = access.Anonymous,
                ReadOnlyEndpoint = access.ReadOnlyPort > 0 ? new IPEndPoint(_options.BindAddress, access.ReadOnlyPort) : null,
                HealthzEndpoint = settings.HealthzPort > 0 ? new IPEndPoint(settings.HealthzBindAddress, settings.HealthzPort) : null,
                Configuration = EffectiveKubeletConfig.Of(_options, settings, access, ClusterDns),
                RootDirectory = settings.RootDirectory,
                LogsDirectory = settings.PodLogsDirectory,
                TranslateWebSockets = _options.ContainerRuntimeEndpoint is not null,
            },
            services,
            review.AuthorizeAsync,
            _client is null || !access.TokenWebhook ? null : review.AuthenticateAsync,
            _time,
            _logs);
    }

    private IObjectSource Objects()
    {
        if (_client is null)
        {
            return _options.StaticPodObjects ? new ManifestObjects() : new StandaloneObjectSource();
        }

        return new ObjectSource(_client, _options.NodeName, Services(_client), _time, _logs.CreateLogger<ObjectSource>());
    }

    private void AddServiceProxy()
    {
        if (ServiceProxyClient is not { } client)
        {
            return;
        }

        // One for each family, on the same copies.
        var slices = Informer<V1EndpointSlice>(client, null);
        foreach (var range in _options.PodCidrs)
        {
            var proxy = new NodeServiceProxy(
                new ServiceProxyOptions { NodeName = _options.NodeName, Bridge = _options.Bridge, PodCidr = range },
                Services(client),
                slices,
                new NftProgram(),
                new ConntrackNetlink(),
                NftTableWatch.Open,
                _time,
                _random,
                _logs.CreateLogger<NodeServiceProxy>());
            _loops.Add(proxy.RunAsync);
        }
    }

    private void AddNodeRoutes()
    {
        if (_client is not null && NodeRanges.Routes(_options) is { } routes)
        {
            _loops.Add(new NodeRouter(routes, Informer<V1Node>(_client, null), new NftProgram(), _time, _logs.CreateLogger<NodeRouter>()).RunAsync);
        }
    }

    private Informer<V1Service> Services(IApiClient client) => _services ??= Informer<V1Service>(client, null);

    private Informer<T>? Informer<T>(string? fieldSelector) where T : class, IKubernetesObject<V1ObjectMeta> =>
        _client is null ? null : Informer<T>(_client, fieldSelector);

    private Informer<T> Informer<T>(IApiClient client, string? fieldSelector) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var informer = new Informer<T>(
            client, new InformerOptions { FieldSelector = fieldSelector }, _time, _random, _logs.CreateLogger($"Podhost.Informer.{typeof(T).Name}"));
        _loops.Add(informer.RunAsync);
        return informer;
    }

    private IEventRecorder Events()
    {
        if (_client is null)
        {
            return new LoggedEvents(_logs.CreateLogger<LoggedEvents>());
        }

        var broadcaster = new EventBroadcaster(
            _client,
            new EventBroadcasterOptions { Component = "kubelet", Host = _options.NodeName },
            _time,
            _random,
            _logs.CreateLogger<EventBroadcaster>());
        _loops.Add(stop => broadcaster.RunAsync(stop, TimeSpan.FromSeconds(1)));
        return new ApiEvents(broadcaster);
    }

    private sealed class ApiEvents(EventBroadcaster broadcaster) : IEventRecorder
    {
        public void Record(V1ObjectReference about, string type, string reason, string message, IReadOnlyDictionary<string, string>? annotations = null) => broadcaster.Emit(about, type, reason, message, annotations);
    }
}

/// <summary>Certificates of a kubelet's HTTPS API.</summary>
/// <param name="Serving">What it shows, with its key, at each handshake; null as long as there is none.</param>
/// <param name="ClientAuthorities">Whose client certificates it takes, besides those of its configuration.</param>
internal sealed record KubeletCertificates(Func<X509Certificate2?> Serving, IReadOnlyList<X509Certificate2> ClientAuthorities);
