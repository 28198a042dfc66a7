using System.Text.Json.Nodes;
using System.Threading.Channels;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Control.Events;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Scheduler;

/// <summary>Binds pods without a node to nodes. One loop, woken by events of pods and nodes; the decision itself is <see cref="SchedulingDecider"/>.</summary>
public sealed partial class PodScheduler
{
    private readonly IApiClient _client;
    private readonly IInformer<V1Pod> _pods;
    private readonly IInformer<V1Node> _nodes;
    private readonly IInformer<V1Namespace> _namespaces;
    private readonly SchedulerStorage _storage;
    private readonly IEventSink _events;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly string _name;

    // One pending wake-up is enough: the loop looks at everything that changed.
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Lock _gate = new();
    private readonly PendingPods _pending = new();
    private readonly Dictionary<string, string> _assumed = [];
    private readonly Dictionary<string, string> _reported = [];

    /// <summary>A scheduler of pods whose schedulerName is its own.</summary>
    /// <param name="client">Binds and writes conditions, as system:kube-scheduler.</param>
    /// <param name="pods">All pods.</param>
    /// <param name="nodes">All nodes.</param>
    /// <param name="namespaces">All namespaces.</param>
    /// <param name="storage">Claims and volumes.</param>
    /// <param name="events">Records Scheduled and FailedScheduling.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    /// <param name="schedulerName">The schedulerName that it serves.</param>
    public PodScheduler(
        IApiClient client,
        IInformer<V1Pod> pods,
        IInformer<V1Node> nodes,
        IInformer<V1Namespace> namespaces,
        SchedulerStorage storage,
        IEventSink events,
        TimeProvider time,
        ILoggerFactory logs,
        string schedulerName = "default-scheduler")
    {
        _client = client;
        _pods = pods;
        _nodes = nodes;
        _namespaces = namespaces;
        _storage = storage;
        _events = events;
        _time = time;
        _log = logs.CreateLogger<PodScheduler>();
        _name = schedulerName;
    }

    /// <summary>Schedules until cancelled. The informers are run by the caller.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(_pods.Synced, _nodes.Synced, _namespaces.Synced, _storage.Synced).WaitAsync(cancellationToken);
        using var podEvents = _pods.Subscribe(OnPod);
        using var nodeEvents = _nodes.Subscribe(_ => OnOther());
        using var storageEvents = _storage.Subscribe(OnOther);
        while (!cancellationToken.IsCancellationRequested)
        {
            await PassAsync(cancellationToken);
            await WaitAsync(cancellationToken);
        }
    }

    private void OnPod(InformerEvent<V1Pod> change)
    {
        var pod = change.Object;
        lock (_gate)
        {
            if (change.Type == WatchEventKind.Deleted || !IsOurs(pod))
            {
                _pending.Remove(pod.Metadata.Uid);
                _assumed.Remove(pod.Metadata.Uid);
                _reported.Remove(pod.Metadata.Uid);
                if (change.Type == WatchEventKind.Deleted || pod.Status?.Phase is "Succeeded" or "Failed" || change.Previous?.Spec.NodeName != pod.Spec.NodeName)
                {
                    _pending.ClusterChanged();
                }
            }
            else if (!_assumed.ContainsKey(pod.Metadata.Uid))
            {
                _pending.Put(pod);
            }
        }

        _wake.Writer.TryWrite(true);
    }

    // A node, a claim or a volume: what fitted nowhere may fit now.
    private void OnOther()
    {
        lock (_gate)
        {
            _pending.ClusterChanged();
        }

        _wake.Writer.TryWrite(true);
    }

    private bool IsOurs(V1Pod pod) =>
        string.IsNullOrEmpty(pod.Spec.NodeName)
        && pod.Metadata.DeletionTimestamp is null
        && pod.Status?.Phase is not ("Succeeded" or "Failed")
        && (pod.Spec.SchedulerName ?? "default-scheduler") == _name
        && pod.Spec.SchedulingGates is not { Count: > 0 };

    private async Task PassAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<V1Pod> ready;
        Pass pass;
        lock (_gate)
        {
            ready = _pending.Ready(_time.GetUtcNow());

            // Copied before the pods are listed, and kept for the whole pass: a binding that is seen meanwhile leaves the assumed ones, but
            // the pods that were listed do not have its node yet.
            pass = new Pass(new Dictionary<string, string>(_assumed), _pending.Changes);
        }

        if (ready.Count == 0)
        {
            return;
        }

        var views = _pods.List().Select(p => new PodView(p)).ToList();
        foreach (var pod in ready)
        {
            var cluster = ClusterView.Build(_nodes.List(), views, pass.Assumed, _namespaces.List(), _storage.View());
            await PlaceAsync(new PodView(pod), cluster, pass, cancellationToken);
        }
    }

    private async Task PlaceAsync(PodView pod, ClusterView cluster, Pass pass, CancellationToken cancellationToken)
    {
        var result = SchedulingDecider.Decide(pod, cluster);
        try
        {
            if (result.NodeName is { } node)
            {
                if (await _storage.ChooseAsync(_client, pod, cluster.Storage, node, cancellationToken))
                {
                    await BindAsync(pod, node, pass, cancellationToken);
                }
                else
                {
                    AwaitVolumes(pod, pass);
                }
            }
            else
            {
                await ReportAsync(pod, result.Message, pass, cancellationToken);
            }
        }
        catch (Exception e) when (e is ApiException or HttpRequestException)
        {
            Settle(pod, e, pass);
        }
    }

    private async Task BindAsync(PodView pod, string node, Pass pass, CancellationToken cancellationToken)
    {
        pass.Assumed[pod.Uid] = node;
        lock (_gate)
        {
            _assumed[pod.Uid] = node;
            _pending.Remove(pod.Uid);
        }

        var binding = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Binding",
            ["metadata"] = new JsonObject { ["name"] = pod.Pod.Metadata.Name, ["namespace"] = pod.Namespace, ["uid"] = pod.Uid },
            ["target"] = new JsonObject { ["kind"] = "Node", ["name"] = node },
        };
        await _client.PostSubresourceAsync<V1Pod>(pod.Namespace, pod.Pod.Metadata.Name, "binding", binding, cancellationToken);
        LogBound(pod.Key, node);
        _events.Record(pod.Pod, "Normal", "Scheduled", $"Successfully assigned {pod.Key} to {node}");
    }

    // The claims are bound next; their events bring the pod back.
    private void AwaitVolumes(PodView pod, Pass pass)
    {
        lock (_gate)
        {
            _pending.Failed(pod.Uid, _time.GetUtcNow(), pass.SeenChanges);
        }
    }

    private async Task ReportAsync(PodView pod, string message, Pass pass, CancellationToken cancellationToken)
    {
        bool isNews;
        lock (_gate)
        {
            _pending.Failed(pod.Uid, _time.GetUtcNow(), pass.SeenChanges);
            isNews = _reported.GetValueOrDefault(pod.Uid) != message;
            _reported[pod.Uid] = message;
        }

        _events.Record(pod.Pod, "Warning", "FailedScheduling", message);
        if (isNews)
        {
            await _client.PatchAsync<V1Pod>(pod.Namespace, pod.Pod.Metadata.Name, PatchKind.Strategic, Unschedulable(pod, message), "status", cancellationToken);
        }
    }

    private JsonObject Unschedulable(PodView pod, string message) => new()
    {
        ["metadata"] = new JsonObject { ["uid"] = pod.Uid },
        ["status"] = new JsonObject
        {
            ["conditions"] = new JsonArray(new JsonObject
            {
                ["type"] = "PodScheduled",
                ["status"] = "False",
                ["reason"] = "Unschedulable",
                ["message"] = message,
                ["observedGeneration"] = pod.Pod.Metadata.Generation ?? 1,
                ["lastProbeTime"] = null,
                ["lastTransitionTime"] = _time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture),
            }),
        },
    };

    // Gone or bound by somebody else: the informer tells the rest. Anything else is tried again after the back-off.
    private void Settle(PodView pod, Exception error, Pass pass)
    {
        pass.Assumed.Remove(pod.Uid);
        var present = _pods.Get(pod.Namespace, pod.Pod.Metadata.Name);
        lock (_gate)
        {
            _assumed.Remove(pod.Uid);
            _reported.Remove(pod.Uid);
            if (error is ApiException { IsNotFound: true } or ApiException { IsConflict: true })
            {
                return;
            }

            // The answer may have been lost although the server did it: what is bound or gone by now is not tried again.
            if (present is null || present.Metadata.Uid != pod.Uid || !IsOurs(present))
            {
                return;
            }

            _pending.Put(present);
            _pending.Retry(pod.Uid, _time.GetUtcNow());
        }

        LogFailed(pod.Key, error.Message);
    }

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        DateTimeOffset? next;
        lock (_gate)
        {
            next = _pending.NextAt(_time.GetUtcNow());
        }

        using var timer = next is { } at
            ? _time.CreateTimer(_ => _wake.Writer.TryWrite(true), null, Max(at - _time.GetUtcNow(), TimeSpan.Zero), Timeout.InfiniteTimeSpan)
            : null;
        await _wake.Reader.ReadAsync(cancellationToken);
    }

    /// <summary>What one pass knows: where pods were sent, and the last change of the cluster that it saw.</summary>
    private sealed record Pass(Dictionary<string, string> Assumed, long SeenChanges);

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    [LoggerMessage(Level = LogLevel.Debug, Message = "bound pod {Pod} to node {Node}")]
    private partial void LogBound(string pod, string node);

    [LoggerMessage(Level = LogLevel.Warning, Message = "could not place pod {Pod}: {Error}")]
    private partial void LogFailed(string pod, string error);
}
