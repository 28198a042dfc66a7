using System.Collections.Concurrent;
using System.Threading.Channels;
using Grpc.Core;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Pods.Loop;

namespace Podhost.Kubelet.Eviction;

/// <summary>
/// Evicts pods that hold more of the disk than they may. The kernel tells of no directory's growth, so this is a look a period (upstream's
/// monitoring period, 10 s), at the pods that have such limits and one after the other; while no pod has one, nothing runs.
/// </summary>
internal sealed partial class StorageEviction(PodManager pods, StorageMeter meter, TimeSpan period, TimeProvider time, ILogger logger)
{
    /// <summary>Upstream's immediate eviction: who has broken a limit may not go on.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    /// <summary>Longest look at one pod.</summary>
    private static readonly TimeSpan LookLimit = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, bool> watched = new(StringComparer.Ordinal);
    private readonly Channel<bool> wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>A pod came or changed, or with null is gone.</summary>
    public void Track(string uid, V1Pod? pod)
    {
        if (pod is null || !StorageLimits.Apply(pod))
        {
            watched.TryRemove(uid, out _);
        }
        else if (watched.TryAdd(uid, true))
        {
            wake.Writer.TryWrite(true);
        }
    }

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (watched.IsEmpty)
            {
                await wake.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }

            await Task.Delay(period, time, cancellationToken).ConfigureAwait(false);
            foreach (var uid in watched.Keys)
            {
                await LookAsync(uid, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task LookAsync(string uid, CancellationToken cancellationToken)
    {
        if (pods.SnapshotOf(uid) is not { Stage: Stage.Active } snapshot)
        {
            return;
        }

        using var limit = new CancellationTokenSource(LookLimit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var usage = await meter.MeasureAsync(snapshot.Pod, both.Token).ConfigureAwait(false);
            if (StorageLimits.Exceeded(snapshot.Pod, usage) is { } message)
            {
                LogEvicted(logger, snapshot.Pod.Metadata.NamespaceProperty, snapshot.Pod.Metadata.Name, message);
                pods.Stop(uid, new StopRequest(StopCause.Evicted, Grace, "Evicted", message));
            }
        }
        catch (Exception e) when (e is RpcException or IOException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            // The next period looks again.
            LogUnknown(logger, snapshot.Pod.Metadata.NamespaceProperty, snapshot.Pod.Metadata.Name, e.Message);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Evicting pod {Namespace}/{Name}: {Why}")]
    private static partial void LogEvicted(ILogger logger, string @namespace, string name, string why);

    [LoggerMessage(2, LogLevel.Warning, "What pod {Namespace}/{Name} holds on the disk cannot be measured: {Error}")]
    private static partial void LogUnknown(ILogger logger, string @namespace, string name, string error);
}
