using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Resources;
using Podhost.Client;
using Podhost.Client.Events;
using Podhost.Client.Informers;
using Podhost.Configuration;
using Podhost.Control.Controllers;
using Podhost.Control.Controllers.Certificates;
using Podhost.Control.Controllers.ClusterRoles;
using Podhost.Control.Controllers.CronJobs;
using Podhost.Control.Controllers.DaemonSets;
using Podhost.Control.Controllers.Deployments;
using Podhost.Control.Controllers.Disruption;
using Podhost.Control.Controllers.Endpoints;
using Podhost.Control.Controllers.EndpointSliceMirroring;
using Podhost.Control.Controllers.EndpointSlices;
using Podhost.Control.Controllers.GarbageCollector;
using Podhost.Control.Controllers.Jobs;
using Podhost.Control.Controllers.KubernetesService;
using Podhost.Control.Controllers.NamespaceDefaults;
using Podhost.Control.Controllers.Namespaces;
using Podhost.Control.Controllers.NodeIpam;
using Podhost.Control.Controllers.NodeLifecycle;
using Podhost.Control.Controllers.NodeTaints;
using Podhost.Control.Controllers.PersistentVolumes;
using Podhost.Control.Controllers.PodGarbage;
using Podhost.Control.Controllers.ReplicaSets;
using Podhost.Control.Controllers.ResourceQuotas;
using Podhost.Control.Controllers.ServiceAccountTokens;
using Podhost.Control.Controllers.StatefulSets;
using Podhost.Control.Controllers.TaintEviction;
using Podhost.Control.CustomKinds;
using Podhost.Control.Events;
using Podhost.Control.Scheduler;
using Podhost.Network.Dns.Cluster;

namespace Podhost.Hosting;

/// <summary>Scheduler and controllers, each with the identity and the informers that it needs.</summary>
internal sealed class Controllers(ControlPlane plane, PodhostOptions options, TimeProvider time, ILoggerFactory logs)
{
    private readonly Random _random = new();
    private readonly List<Func<CancellationToken, Task>> _loops = [];
    private readonly List<OwnedKind> _owned = [];
    private readonly List<CountedKind> _counted = [];

    /// <summary>The cluster's DNS server, which shares the controllers' copies; null: this process has no pod network to serve it on.</summary>
    public ClusterDnsOptions? Dns { get; init; }

    /// <summary>Runs them all until cancelled, or until one of them fails.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var manager = plane.ClientOf("system:kube-controller-manager");
        var scheduler = plane.ClientOf("system:kube-scheduler");
        await ApiServerService.EnsureAsync(
            plane.ClientOf("system:apiserver", "system:masters"),
            plane.ServiceAddresses.Ranges[0].ApiServerAddress.ToString(),
            NodeAddress.OfFamily(plane.NodeAddresses, options.ServiceCidrs[0].BaseAddress.AddressFamily).ToString(),
            options.SecurePort,
            cancellationToken);

        var namespaces = Follow<V1Namespace>(manager);
        var accounts = Follow<V1ServiceAccount>(manager);
        Add(new NamespaceDefaultsController(
            manager,
            namespaces,
            accounts,
            Inform<V1ConfigMap>(manager, new InformerOptions { FieldSelector = "metadata.name=kube-root-ca.crt" }),
            plane.Pki.AuthorityPem,
            time,
            logs));
        var pods = Follow<V1Pod>(manager);
        var nodes = Follow<V1Node>(manager);
        var services = Follow<V1Service>(manager);
        var endpoints = Follow<V1Endpoints>(manager);
        var slices = Follow<V1EndpointSlice>(manager);
        AddDns(new DnsSources(services, slices, namespaces));
        Add(new NamespaceController(manager, namespaces, pods, time, logs));
        Add(new EndpointsController(manager, services, pods, endpoints, time, logs));
        Add(new EndpointSliceController(manager, services, pods, nodes, slices, time, logs));
        Add(new EndpointSliceMirroringController(manager, services, endpoints, slices, time, logs));
        Add(new PodGarbageController(manager, pods, nodes, new PodGarbageOptions(), time, logs));
        AddNodeIpam(manager, nodes);
        Add(new NodeTaintController(manager, nodes, time, logs));
        Add(new TaintEvictionController(manager, pods, nodes, Events(manager, "taint-eviction-controller"), time, logs));
        Add(new NodeLifecycleController(
            manager,
            nodes,
            Follow<V1Lease>(manager),
            pods,
            Events(manager, "node-controller"),
            new NodeLifecycleOptions { MonitorGracePeriod = options.NodeMonitorGracePeriod },
            time,
            logs));
        Add(new CertificateController(manager, Follow<V1CertificateSigningRequest>(manager), nodes, plane.Pki.Authority, time, logs));
        var quotas = Follow<V1ResourceQuota>(manager);
        var claims = Follow<V1PersistentVolumeClaim>(manager);
        var volumes = Follow<V1PersistentVolume>(manager);
        var classes = Follow<V1StorageClass>(manager);
        var budgets = Follow<V1PodDisruptionBudget>(manager);
        AddScheduler(scheduler, new SchedulerSources(pods, nodes, namespaces, services, new SchedulerStorage(claims, volumes, classes), budgets));
        Add(new PersistentVolumeController(manager, claims, volumes, classes, nodes, Events(manager, "persistentvolume-controller"), time, logs));
        Add(new VolumeProtectionController(manager, claims, volumes, pods, time, logs));
        Add(new EphemeralVolumeController(manager, pods, claims, Events(manager, "ephemeral_volume"), time, logs));
        AddWorkloads(manager, pods, nodes, claims, budgets);
        Add(new ServiceAccountTokenController(manager, Follow<V1Secret>(manager), accounts, plane.Pki.AuthorityPem, plane.SecretToken, time, logs));
        FollowOthers(manager);
        var custom = new CustomKindFollower(manager, time, logs);
        Add(custom);
        _owned.Add(OwnedKind.Of(custom));
        _counted.Add(CountedKind.Of(custom));
        Add(new GarbageCollectorController(manager, _owned, time, logs));
        Add(new ResourceQuotaController(manager, quotas, _counted, time, logs));
        await Loops.RunAllAsync(_loops, cancellationToken);
    }

    private void AddNodeIpam(IApiClient client, IInformer<V1Node> nodes)
    {
        if (options.AllocateNodeCidrs)
        {
            Add(new NodeIpamController(client, nodes, Events(client, "cidrAllocator"), NodeRanges.Allocation(options), time, logs));
        }
    }

    private void AddWorkloads(
        IApiClient client, IInformer<V1Pod> pods, IInformer<V1Node> nodes, IInformer<V1PersistentVolumeClaim> claims, IInformer<V1PodDisruptionBudget> budgets)
    {
        var (deployments, sets) = (Follow<V1Deployment>(client), Follow<V1ReplicaSet>(client));
        Add(new ReplicaSetController(client, sets, pods, Events(client, "replicaset-controller"), time, logs));
        Add(new DeploymentController(client, deployments, sets, pods, Events(client, "deployment-controller"), time, logs));
        var (stateful, revisions) = (Follow<V1StatefulSet>(client), Follow<V1ControllerRevision>(client));
        Add(new StatefulSetController(client, new StatefulSetSources(stateful, pods, revisions, claims), Events(client, "statefulset-controller"), time, logs));
        Add(new DaemonSetController(client, new DaemonSetSources(Follow<V1DaemonSet>(client), pods, nodes, revisions), Events(client, "daemonset-controller"), time, logs));
        var controllers = Follow<V1ReplicationController>(client);
        Add(new ReplicationControllerController(client, controllers, pods, Events(client, "replication-controller"), time, logs));
        Add(new DisruptionController(client, budgets, pods, new ScaledSources(sets, deployments, stateful, controllers), Events(client, "controllermanager"), time, logs));
        var (jobs, crons) = (Follow<V1Job>(client), Follow<V1CronJob>(client));
        Add(new JobController(client, jobs, pods, Events(client, "job-controller"), time, logs));
        Add(new CronJobController(client, crons, jobs, Events(client, "cronjob-controller"), time, logs));
    }

    // The kinds that only the garbage collector and the quotas follow. Events are left out as upstream does: they end by their age.
    private void FollowOthers(IApiClient client)
    {
        Follow<V1ConfigMap>(client);
        Follow<V1LimitRange>(client);
        Follow<V1RuntimeClass>(client);
        Follow<V1ClusterRoleBinding>(client);
        Add(new ClusterRoleAggregationController(client, Follow<V1ClusterRole>(client), time, logs));
        Follow<V1RoleBinding>(client);
        Follow<V1Role>(client);
        Follow<V1PriorityClass>(client);
    }

    private void AddScheduler(IApiClient client, SchedulerSources sources)
    {
        var scheduler = new PodScheduler(client, sources, Events(client, "default-scheduler"), time, logs);
        _loops.Add(scheduler.RunAsync);
    }

    private void AddDns(DnsSources sources)
    {
        if (Dns is not null)
        {
            _loops.Add(new ClusterDns(Dns, plane.ClientOf("system:apiserver", "system:masters"), sources, time, logs).RunAsync);
        }
    }

    private void Add(IController controller) => _loops.Add(controller.RunAsync);

    // An informer of a whole kind, which the garbage collector and, in namespaces, the quotas follow too.
    private Informer<T> Follow<T>(IApiClient client) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var informer = Inform<T>(client);
        _owned.Add(OwnedKind.Of(informer));
        if (ResourceTable.For<T>().Namespaced)
        {
            _counted.Add(CountedKind.Of(informer));
        }

        return informer;
    }

    private Informer<T> Inform<T>(IApiClient client, InformerOptions? informerOptions = null) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var informer = new Informer<T>(client, informerOptions ?? new InformerOptions(), time, _random, logs.CreateLogger($"Podhost.Informer.{typeof(T).Name}"));
        _loops.Add(informer.RunAsync);
        return informer;
    }

    private EventSink Events(IApiClient client, string component)
    {
        var broadcaster = new EventBroadcaster(client, new EventBroadcasterOptions { Component = component }, time, _random, logs.CreateLogger<EventBroadcaster>());
        _loops.Add(stop => broadcaster.RunAsync(stop, TimeSpan.FromSeconds(1)));
        return new EventSink(broadcaster);
    }
}
