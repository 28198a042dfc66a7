using System.Threading.Channels;
using Grpc.Core;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Kubelet.Events;
using Podhost.Kubelet.Hosting;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Pods.Loop;

namespace Podhost.Kubelet.Eviction.Pressure;

/// <summary>
/// Evicts pods when the node runs short: a look each period (upstream's 10 s) and whenever the kernel tells that memory is short; at most one
/// pod a look, and the next look when nothing of it is left.
/// </summary>
internal sealed partial class PressureEviction(
    KubeletOptions options, IEvictablePods pods, IEvictionReadings readings, IDiskReclaim? disk, IEventRecorder events, TimeProvider time, ILogger logger)
{
    /// <summary>Upstream's immediateEvictionGracePeriodSeconds.</summary>
    private static readonly TimeSpan HardGrace = TimeSpan.FromSeconds(1);

    /// <summary>How long the end of an evicted pod is waited for.</summary>
    private static readonly TimeSpan CleanupLimit = TimeSpan.FromSeconds(30);

    /// <summary>Longest measuring of pods and longest freeing of disk.</summary>
    private static readonly TimeSpan WorkLimit = TimeSpan.FromMinutes(2);

    /// <summary>Shortest time between two looks, whatever happens.</summary>
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);

    private readonly IReadOnlyList<EvictionThreshold> thresholds = options.Eviction.Thresholds(options.EnforceNodeAllocatable);
    private readonly Channel<bool> changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private EvictionState state = EvictionState.Empty;
    private volatile IReadOnlyList<string> conditions = [];

    /// <summary>Raised when <see cref="Conditions"/> changed.</summary>
    public event Action? Changed;

    /// <summary>The node conditions that hold: MemoryPressure, DiskPressure, PIDPressure.</summary>
    public IReadOnlyList<string> Conditions => conditions;

    /// <summary>A pod came, changed or is gone.</summary>
    public void Track(string uid, V1Pod? pod) => changes.Writer.TryWrite(true);

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (thresholds.Count == 0)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken).ConfigureAwait(false);
        }

        while (true)
        {
            changes.Reader.TryRead(out _);
            var (starved, evicted) = await LookAsync(cancellationToken).ConfigureAwait(false);
            if (evicted is not null)
            {
                await EndOfAsync(evicted, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                // A starved node with nobody to evict looks again when a pod comes.
                await PauseAsync(starved, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<(bool Starved, string? Evicted)> LookAsync(CancellationToken cancellationToken)
    {
        var observations = await readings.NodeAsync(cancellationToken).ConfigureAwait(false);
        state = EvictionRules.Look(state, thresholds, observations, options.Eviction.PressureTransitionPeriod, time.GetUtcNow());
        if (!state.Conditions.SequenceEqual(conditions))
        {
            conditions = state.Conditions;
            LogConditions(logger, string.Join(", ", state.Conditions));
            Changed?.Invoke();
        }

        if (state.Due is not [var threshold, ..])
        {
            return (false, null);
        }

        var resource = EvictionSignals.ResourceOf(threshold.Signal);
        events.Record(NodeReference(), "Warning", "EvictionThresholdMet", $"Attempting to reclaim {resource}");
        using var limit = new CancellationTokenSource(WorkLimit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            if (EvictionSignals.IsDisk(threshold.Signal) && await FreeAsync(both.Token).ConfigureAwait(false))
            {
                return (true, null);
            }

            return (true, await EvictAsync(threshold, observations[threshold.Signal], both.Token).ConfigureAwait(false));
        }
        catch (Exception e) when (e is RpcException or IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // The next period looks again.
            LogFailed(logger, resource, e.Message);
            return (false, null);
        }
    }

    /// <summary>True where freeing was enough.</summary>
    private async Task<bool> FreeAsync(CancellationToken cancellationToken)
    {
        if (disk is null)
        {
            return false;
        }

        try
        {
            await disk.FreeAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (RpcException e)
        {
            LogFailed(logger, "disk space", e.Status.Detail);
        }

        return EvictionRules.Relieved(thresholds, await readings.NodeAsync(cancellationToken).ConfigureAwait(false));
    }

    private async Task<string?> EvictAsync(EvictionThreshold threshold, EvictionObservation seen, CancellationToken cancellationToken)
    {
        var candidates = pods.Snapshots().Where(IsCandidate).Select(s => s.Pod).ToList();
        if (candidates.Count == 0)
        {
            return null;
        }

        var shares = await readings.PodsAsync(candidates, threshold.Signal, cancellationToken).ConfigureAwait(false);
        var first = EvictionRanking.Rank(shares, threshold.Signal, readings.SeparateImages)[0];
        var message = EvictionMessage.Of(threshold, seen, first);
        var meta = first.Pod.Metadata;
        LogEvicted(logger, meta.NamespaceProperty, meta.Name, message.Text);
        pods.Stop(meta.Uid, new StopRequest(StopCause.Evicted, GraceOf(threshold, first.Pod), "Evicted", message.Text) { Annotations = message.Annotations });
        return meta.Uid;
    }

    /// <summary>Pods that are here, also those that an earlier kubelet took and this one has not looked at yet.</summary>
    private static bool IsCandidate(PodSnapshot pod) =>
        (pod.Stage == Stage.Active || (pod.Stage == Stage.Waiting && pod.Pod.Status?.StartTime is not null)) && !EvictionRanking.IsSpared(pod.Pod);

    private TimeSpan GraceOf(EvictionThreshold threshold, V1Pod pod)
    {
        var own = StopRules.GraceOf(pod);
        return threshold.IsHard ? HardGrace : own < options.Eviction.MaxPodGracePeriod ? own : options.Eviction.MaxPodGracePeriod;
    }

    private async Task EndOfAsync(string uid, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(CleanupLimit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            while (pods.Has(uid))
            {
                await changes.Reader.ReadAsync(both.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            LogSlow(logger, uid);
        }
    }

    private async Task PauseAsync(bool untilPod, CancellationToken cancellationToken)
    {
        await Task.Delay(ShortestPause, time, cancellationToken).ConfigureAwait(false);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var waits = new List<Task> { Task.Delay(options.EvictionMonitoringPeriod - ShortestPause, time, ending.Token), readings.ShortageAsync(ending.Token) };
        if (untilPod)
        {
            waits.Add(changes.Reader.WaitToReadAsync(ending.Token).AsTask());
        }

        await Task.WhenAny(waits).ConfigureAwait(false);
        await ending.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(waits).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }

    private V1ObjectReference NodeReference() => new() { ApiVersion = "v1", Kind = "Node", Name = options.NodeName, Uid = options.NodeName };

    [LoggerMessage(1, LogLevel.Warning, "Evicting pod {Namespace}/{Name}: {Why}")]
    private static partial void LogEvicted(ILogger logger, string @namespace, string name, string why);

    [LoggerMessage(2, LogLevel.Warning, "Conditions of the node: [{Conditions}]")]
    private static partial void LogConditions(ILogger logger, string conditions);

    [LoggerMessage(3, LogLevel.Warning, "Reclaiming {Resource} failed, trying again: {Error}")]
    private static partial void LogFailed(ILogger logger, string resource, string error);

    [LoggerMessage(4, LogLevel.Warning, "Evicted pod {Uid} is not cleaned up after 30 s; looking on")]
    private static partial void LogSlow(ILogger logger, string uid);
}
