using System.Threading.Channels;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Api.Storage;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Control.Events;
using Podhost.Control.Scheduler.Effects;
using Podhost.Control.Scheduler.Model;
using Podhost.Control.Scheduler.Preemption;

namespace Podhost.Control.Scheduler;

/// <summary>Binds pods without a node to nodes. One loop decides, woken by events; bindings are sent beside it. The decision is <see cref="SchedulingDecider"/>.</summary>
public sealed partial class PodScheduler
{
    // Bindings under way at once: the next decision counts on them, it does not wait for them.
    private const int MaxBindings = 16;

    private readonly IApiClient _client;
    private readonly SchedulerSources _sources;
    private readonly IEventSink _events;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly SchedulerState _state;
    private readonly VictimRemoval _victims;
    private readonly HashSet<Task> _bindings = [];
    private int _first;

    // One pending wake-up is enough: the loop looks at everything that changed.
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>A scheduler of pods whose schedulerName is its own.</summary>
    /// <param name="client">Binds, writes conditions and deletes victims of preemption, as system:kube-scheduler.</param>
    /// <param name="sources">What it looks at.</param>
    /// <param name="events">Records Scheduled, FailedScheduling and Preempted.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    /// <param name="schedulerName">The schedulerName that it serves.</param>
    public PodScheduler(IApiClient client, SchedulerSources sources, IEventSink events, TimeProvider time, ILoggerFactory logs, string schedulerName = "default-scheduler")
    {
        _client = client;
        _sources = sources;
        _events = events;
        _time = time;
        _log = logs.CreateLogger<PodScheduler>();
        _state = new SchedulerState(schedulerName, time);
        _victims = new VictimRemoval(client, events, time);
    }

    /// <summary>Schedules until cancelled. The informers are run by the caller.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await _sources.Synced.WaitAsync(cancellationToken);

        // Nodes and namespaces first, so that the first pod is not refused for want of them.
        using var namespaces = _sources.Namespaces.Subscribe(Waking<V1Namespace>(_state.OnNamespace));
        using var services = _sources.Services.Subscribe(_state.OnService);
        using var storage = _sources.Storage?.Subscribe(() =>
        {
            _state.OnStorage();
            _wake.Writer.TryWrite(true);
        });
        using var nodes = _sources.Nodes.Subscribe(Waking<V1Node>(_state.OnNode));
        using var pods = _sources.Pods.Subscribe(Waking<V1Pod>(_state.OnPod));
        while (!cancellationToken.IsCancellationRequested)
        {
            if (_state.Take() is var (pod, cluster))
            {
                await PlaceAsync(pod, cluster, cancellationToken);
            }
            else
            {
                await WaitAsync(cancellationToken);
            }
        }
    }

    private Action<InformerEvent<T>> Waking<T>(Action<InformerEvent<T>> handler) => change =>
    {
        handler(change);
        _wake.Writer.TryWrite(true);
    };

    private async Task PlaceAsync(PodView pod, ClusterView cluster, CancellationToken cancellationToken)
    {
        if (_sources.Storage is { } storage && PodClaims.Of(pod.Pod).Any())
        {
            cluster = cluster.With(storage.View());
        }

        var result = SchedulingDecider.Decide(pod, cluster, _first);

        // The next pod begins where this one stopped, so that all nodes get their share.
        _first = cluster.Nodes.Length > 0 ? (_first + result.Looked) % cluster.Nodes.Length : 0;
        try
        {
            if (result.NodeName is not { } node)
            {
                await RefuseAsync(pod, cluster, result, cancellationToken);
            }
            else if (_sources.Storage is null || await _sources.Storage.ChooseAsync(_client, pod, cluster.Storage, node, cancellationToken))
            {
                _state.Assume(pod, node);
                await MakeRoomAsync();
                _bindings.Add(BindAsync(pod, node, cancellationToken));
            }
            else
            {
                // The claims are bound next; their events bring the pod back.
                _state.Await(pod, ClusterChange.Storage);
            }
        }
        catch (ApiException e) when (e.IsNotFound || e.IsConflict)
        {
            // Gone or changed by somebody else: the informer tells the rest.
            LogFailed(pod.Key, e.Message);
        }
        catch (Exception e) when (e is ApiException or HttpRequestException)
        {
            _state.Retry(pod);
            LogFailed(pod.Key, e.Message);
        }
    }

    // Finished bindings are forgotten here; one that ended in an unexpected way ends the scheduler.
    private async Task MakeRoomAsync()
    {
        while (_bindings.Count >= MaxBindings)
        {
            await Task.WhenAny(_bindings);
            foreach (var done in _bindings.Where(b => b.IsCompleted).ToList())
            {
                _bindings.Remove(done);
                await done;
            }
        }
    }

    private async Task BindAsync(PodView pod, string node, CancellationToken cancellationToken)
    {
        try
        {
            await PodBinding.SendAsync(_client, pod, node, cancellationToken);
            LogBound(pod.Key, node);
            _events.Record(pod.Pod, "Normal", "Scheduled", $"Successfully assigned {pod.Key} to {node}");
        }
        catch (Exception e) when (e is ApiException or HttpRequestException)
        {
            // Gone or bound by somebody else: the informer tells the rest. The answer may also have been lost although the server did it:
            // what is bound or gone by now is not tried again, anything else is, after its back-off.
            var isOver = e is ApiException { IsNotFound: true } or ApiException { IsConflict: true };
            _state.Unassume(pod, isOver ? null : _sources.Pods.Get(pod.Namespace, pod.Pod.Metadata.Name));
            _wake.Writer.TryWrite(true);
            LogFailed(pod.Key, e.Message);
        }
    }

    private async Task RefuseAsync(PodView pod, ClusterView cluster, SchedulingResult refused, CancellationToken cancellationToken)
    {
        var budgets = _sources.Budgets is { } all ? new DisruptionBudgets(all.List()) : DisruptionBudgets.None;
        var preemption = refused.Rejections.Count > 0 ? PreemptionDecider.Decide(pod, cluster, refused, budgets) : null;
        var message = preemption is { Message.Length: > 0 } ? $"{refused.Message} preemption: {preemption.Message}" : refused.Message;
        if (preemption?.NodeName is { } node)
        {
            await PreemptAsync(pod, cluster, node, preemption.Victims, cancellationToken);
        }

        var had = pod.Pod.Status?.NominatedNodeName is { Length: > 0 };
        var nominated = preemption?.NodeName ?? (had && preemption is { EndsNomination: true } ? "" : null);
        if (nominated is "")
        {
            _state.Nominate(pod, null);
        }

        _events.Record(pod.Pod, "Warning", "FailedScheduling", message);
        if (_state.Refuse(pod, message, refused.Wakes) || nominated is not null)
        {
            await PodStatusPatch.UnschedulableAsync(_client, pod, message, nominated, _time.GetUtcNow(), cancellationToken);
        }
    }

    private async Task PreemptAsync(PodView pod, ClusterView cluster, string node, IReadOnlyList<PodView> victims, CancellationToken cancellationToken)
    {
        // The room is the pod's from now on: what comes meanwhile counts on it.
        _state.Nominate(pod, node);
        await _victims.RunAsync(pod, node, victims, cancellationToken);

        // Less important pods that wait for the same node would find less than they counted on: they choose again.
        foreach (var other in cluster.NominatedOn(node).Where(p => p.Priority < pod.Priority))
        {
            _state.Nominate(other, null);
            await PodStatusPatch.NotNominatedAsync(_client, other, cancellationToken);
        }
    }

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        using var timer = _state.NextAt() is { } at
            ? _time.CreateTimer(_ => _wake.Writer.TryWrite(true), null, at > now ? at - now : TimeSpan.Zero, Timeout.InfiniteTimeSpan)
            : null;
        await _wake.Reader.ReadAsync(cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "bound pod {Pod} to node {Node}")]
    private partial void LogBound(string pod, string node);

    [LoggerMessage(Level = LogLevel.Warning, Message = "could not place pod {Pod}: {Error}")]
    private partial void LogFailed(string pod, string error);
}
