using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Client;
using Podhost.Client.Events;
using Podhost.Client.Informers;
using Podhost.Configuration;
using Podhost.Control.Controllers;
using Podhost.Control.Controllers.Endpoints;
using Podhost.Control.Controllers.EndpointSliceMirroring;
using Podhost.Control.Controllers.EndpointSlices;
using Podhost.Control.Controllers.GarbageCollector;
using Podhost.Control.Controllers.KubernetesService;
using Podhost.Control.Controllers.NamespaceDefaults;
using Podhost.Control.Controllers.Namespaces;
using Podhost.Control.Controllers.NodeTaints;
using Podhost.Control.Controllers.PodGarbage;
using Podhost.Control.Controllers.TaintEviction;
using Podhost.Control.Events;
using Podhost.Control.Scheduler;

namespace Podhost.Hosting;

/// <summary>Scheduler and controllers, each with the identity and the informers that it needs.</summary>
internal sealed class Controllers(ControlPlane plane, PodhostOptions options, TimeProvider time, ILoggerFactory logs)
{
    private readonly Random _random = new();
    private readonly List<Func<CancellationToken, Task>> _loops = [];

    /// <summary>Runs them all until cancelled, or until one of them fails.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var manager = plane.ClientOf("system:kube-controller-manager");
        var scheduler = plane.ClientOf("system:kube-scheduler");
        await ApiServerService.EnsureAsync(
            plane.ClientOf("system:apiserver", "system:masters"),
            plane.ServiceAddresses.ApiServerAddress.ToString(),
            plane.NodeAddress.ToString(),
            options.SecurePort,
            cancellationToken);

        var namespaces = Inform<V1Namespace>(manager);
        var accounts = Inform<V1ServiceAccount>(manager);
        AddScheduler(scheduler, namespaces);
        Add(new NamespaceDefaultsController(
            manager,
            namespaces,
            accounts,
            Inform<V1ConfigMap>(manager, new InformerOptions { FieldSelector = "metadata.name=kube-root-ca.crt" }),
            plane.Pki.AuthorityPem,
            time,
            logs));
        var pods = Inform<V1Pod>(manager);
        var nodes = Inform<V1Node>(manager);
        var services = Inform<V1Service>(manager);
        var endpoints = Inform<V1Endpoints>(manager);
        var slices = Inform<V1EndpointSlice>(manager);
        Add(new NamespaceController(manager, namespaces, pods, time, logs));
        Add(new EndpointsController(manager, services, pods, endpoints, time, logs));
        Add(new EndpointSliceController(manager, services, pods, nodes, slices, time, logs));
        Add(new EndpointSliceMirroringController(manager, services, endpoints, slices, time, logs));
        Add(new PodGarbageController(manager, pods, nodes, new PodGarbageOptions(), time, logs));
        Add(new NodeTaintController(manager, nodes, time, logs));
        Add(new TaintEvictionController(manager, pods, nodes, Events(manager, "taint-eviction-controller"), time, logs));
        Add(new GarbageCollectorController(
            manager,
            [
                OwnedKind.Of(namespaces), OwnedKind.Of(accounts), OwnedKind.Of(pods), OwnedKind.Of(nodes), OwnedKind.Of(services),
                OwnedKind.Of(endpoints), OwnedKind.Of(slices), .. OtherKinds(manager),
            ],
            time,
            logs));
        await Loops.RunAllAsync(_loops, cancellationToken);
    }

    // The kinds that only the garbage collector follows. Events are left out as upstream does: they end by their age.
    private IEnumerable<OwnedKind> OtherKinds(IApiClient client) =>
    [
        OwnedKind.Of(Inform<V1ConfigMap>(client)),
        OwnedKind.Of(Inform<V1PersistentVolumeClaim>(client)),
        OwnedKind.Of(Inform<V1PersistentVolume>(client)),
        OwnedKind.Of(Inform<V1Secret>(client)),
        OwnedKind.Of(Inform<V1Lease>(client)),
        OwnedKind.Of(Inform<V1RuntimeClass>(client)),
        OwnedKind.Of(Inform<V1ClusterRoleBinding>(client)),
        OwnedKind.Of(Inform<V1ClusterRole>(client)),
        OwnedKind.Of(Inform<V1RoleBinding>(client)),
        OwnedKind.Of(Inform<V1Role>(client)),
        OwnedKind.Of(Inform<V1PriorityClass>(client)),
    ];

    private void AddScheduler(IApiClient client, IInformer<V1Namespace> namespaces)
    {
        var events = Events(client, "default-scheduler");
        var scheduler = new PodScheduler(client, Inform<V1Pod>(client), Inform<V1Node>(client), namespaces, events, time, logs);
        _loops.Add(scheduler.RunAsync);
    }

    private void Add(IController controller) => _loops.Add(controller.RunAsync);

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

    private sealed class EventSink(EventBroadcaster broadcaster) : IEventSink
    {
        public void Record(IKubernetesObject<V1ObjectMeta> about, string type, string reason, string message) => broadcaster.Emit(
            new V1ObjectReference
            {
                ApiVersion = about.ApiVersion,
                Kind = about.Kind,
                Name = about.Metadata.Name,
                NamespaceProperty = about.Metadata.NamespaceProperty,
                Uid = about.Metadata.Uid,
                ResourceVersion = about.Metadata.ResourceVersion,
            },
            type,
            reason,
            message);
    }
}
