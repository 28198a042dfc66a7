using System.Diagnostics;
using System.Globalization;
using System.Net;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Podhost.ApiServer.Authn;
using Podhost.ApiServer.Hosting;
using Podhost.Client;
using Podhost.Client.Events;
using Podhost.Client.Informers;
using Podhost.Control.Events;
using Podhost.Control.Scheduler;
using Podhost.Storage.Memory;

// usage: dotnet run -c Release --project bench/scheduler [NODES [PODS]]
// An API server on the memory store and the scheduler in one process, nodes that nobody runs, no kubelets.
var nodeCount = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 1000;
var podCount = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 10_000;
var time = TimeProvider.System;
using var stop = new CancellationTokenSource(TimeSpan.FromMinutes(10));
await using var server = new ApiServer(
    new ApiServerOptions { Listen = false, SecurePort = 0, BindAddress = IPAddress.Loopback }, new ApiServerDependencies { Store = new MemoryStore() });
await server.StartAsync(stop.Token);
await server.Ready.WaitAsync(stop.Token);
var invoker = new HttpMessageInvoker(server.CreateInProcessHandler(new UserInfo("bench", [UserInfo.Masters, UserInfo.Authenticated])));
var client = new ApiClient(invoker, new ApiClientOptions { BaseAddress = new Uri("https://localhost"), UserAgent = "bench" });
var loops = new List<Task>();

for (var i = 0; i < nodeCount; i++)
{
    var node = await client.CreateAsync(Node(i), stop.Token);
    node.Status = Node(i).Status;
    await client.UpdateAsync(node, "status", stop.Token);
}

for (var i = 0; i < podCount; i++)
{
    await client.CreateAsync(Pod(i), stop.Token);
}

var pods = Inform<V1Pod>();
var bound = 0;
var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
using var counting = pods.Subscribe(change =>
{
    if (string.IsNullOrEmpty(change.Previous?.Spec.NodeName) && !string.IsNullOrEmpty(change.Object.Spec.NodeName) && ++bound == podCount)
    {
        done.TrySetResult();
    }
});
var sources = new SchedulerSources(pods, Inform<V1Node>(), Inform<V1Namespace>(), Inform<V1Service>(), Storage: null, Budgets: null);
await Task.WhenAll(sources.Pods.Synced, sources.Nodes.Synced, sources.Namespaces.Synced, sources.Services.Synced);
var broadcaster = new EventBroadcaster(client, new EventBroadcasterOptions { Component = "default-scheduler" }, time, new Random(1), NullLogger<EventBroadcaster>.Instance);
loops.Add(broadcaster.RunAsync(stop.Token, TimeSpan.FromSeconds(1)));

var watch = Stopwatch.StartNew();
loops.Add(new PodScheduler(client, sources, new Sink(broadcaster), time, NullLoggerFactory.Instance).RunAsync(stop.Token));
await Task.WhenAny([done.Task, .. loops]).Unwrap();
await done.Task.WaitAsync(stop.Token);
watch.Stop();
var onNodes = pods.List().GroupBy(p => p.Spec.NodeName).Select(g => g.Count()).ToList();
Console.WriteLine($"{podCount} pods on {nodeCount} nodes in {watch.Elapsed.TotalSeconds:0.00} s: {podCount / watch.Elapsed.TotalSeconds:0} pods/s; {onNodes.Min()} to {onNodes.Max()} a node");

// What it costs to do nothing: nodes post their heartbeat, nobody waits.
var before = Process.GetCurrentProcess().TotalProcessorTime;
await Task.Delay(TimeSpan.FromSeconds(5), time, stop.Token);
Console.WriteLine($"idle: {(Process.GetCurrentProcess().TotalProcessorTime - before).TotalMilliseconds / 5:0.0} ms of CPU a second");
await stop.CancelAsync();
try
{
    await Task.WhenAll(loops);
}
catch (OperationCanceledException)
{
    // They were told to end.
}

return onNodes.Sum() == podCount ? 0 : 1;

Informer<T> Inform<T>() where T : class, IKubernetesObject<V1ObjectMeta>
{
    var informer = new Informer<T>(client, new InformerOptions(), time, new Random(1), NullLogger.Instance);
    loops.Add(informer.RunAsync(stop.Token));
    return informer;
}

static V1Node Node(int i) => new()
{
    ApiVersion = "v1",
    Kind = "Node",
    Metadata = new V1ObjectMeta
    {
        Name = $"node-{i:0000}",
        Labels = new Dictionary<string, string> { ["kubernetes.io/hostname"] = $"node-{i:0000}", ["topology.kubernetes.io/zone"] = $"zone-{i % 3}" },
    },
    Status = new V1NodeStatus
    {
        Allocatable = new Dictionary<string, ResourceQuantity> { ["cpu"] = new("16"), ["memory"] = new("64Gi"), ["pods"] = new("110") },
        Capacity = new Dictionary<string, ResourceQuantity> { ["cpu"] = new("16"), ["memory"] = new("64Gi"), ["pods"] = new("110") },
    },
};

static V1Pod Pod(int i) => new()
{
    ApiVersion = "v1",
    Kind = "Pod",
    Metadata = new V1ObjectMeta { Name = $"pod-{i:00000}", NamespaceProperty = "default", Labels = new Dictionary<string, string> { ["app"] = $"app-{i % 50}" } },
    Spec = new V1PodSpec
    {
        Containers =
        [
            new V1Container
            {
                Name = "app",
                Image = "busybox:stable",
                Resources = new V1ResourceRequirements { Requests = new Dictionary<string, ResourceQuantity> { ["cpu"] = new("100m"), ["memory"] = new("64Mi") } },
            },
        ],
    },
};

internal sealed class Sink(EventBroadcaster broadcaster) : IEventSink
{
    public void Record(IKubernetesObject<V1ObjectMeta> about, string type, string reason, string message) => broadcaster.Emit(
        new V1ObjectReference
        {
            ApiVersion = about.ApiVersion,
            Kind = about.Kind,
            Name = about.Metadata.Name,
            NamespaceProperty = about.Metadata.NamespaceProperty,
            Uid = about.Metadata.Uid,
        },
        type,
        reason,
        message);
}
