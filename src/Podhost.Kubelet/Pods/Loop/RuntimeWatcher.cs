using Grpc.Core;
using Microsoft.Extensions.Logging;
using Podhost.Cri.Services;
using Podhost.Cri.V1;
using Podhost.Kubelet.Containers;

namespace Podhost.Kubelet.Pods.Loop;

/// <summary>A pod that the runtime has, as its labels name it.</summary>
internal sealed record RuntimePod(string Uid, string Namespace, string Name);

/// <summary>
/// Hears from the runtime which pods changed: its events, and a slow listing of everything for what the events miss. What changed is
/// not taken from them: the pod's loop looks for itself, so that lost, doubled and late events do no harm. A runtime without events
/// (containerd before 1.7) is listed every second, as upstream's kubelet does.
/// </summary>
internal sealed partial class RuntimeWatcher(IRuntimeService runtime, Action<RuntimePod> changed, TimeSpan relist, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private readonly Dictionary<string, string> known = new(StringComparer.Ordinal);

    /// <summary>Listens until cancelled.</summary>
    public Task RunAsync(CancellationToken cancellationToken) => Task.WhenAll(ListenAsync(cancellationToken), RelistAsync(cancellationToken));

    /// <summary>Every pod that the runtime has.</summary>
    public async Task<IReadOnlyList<RuntimePod>> ListAsync(CancellationToken cancellationToken) =>
        [.. (await DigestsAsync(cancellationToken).ConfigureAwait(false)).Keys];

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await foreach (var e in runtime.GetContainerEventsAsync(new GetEventsRequest(), cancellationToken).ConfigureAwait(false))
                {
                    if (PodOf(e) is { } pod)
                    {
                        changed(pod);
                    }
                }
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.Unimplemented)
            {
                LogNoEvents(logger, RetryAfter.TotalSeconds);
                await ListAgainAsync(RetryAfter, cancellationToken).ConfigureAwait(false);
            }
            catch (RpcException e) when (!cancellationToken.IsCancellationRequested)
            {
                LogFailed(logger, "Listening to the runtime's events", e.Status.Detail);
            }

            await Task.Delay(RetryAfter, time, cancellationToken).ConfigureAwait(false);
            await LookForChangesAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private Task RelistAsync(CancellationToken cancellationToken) => ListAgainAsync(relist, cancellationToken);

    private async Task ListAgainAsync(TimeSpan period, CancellationToken cancellationToken)
    {
        while (true)
        {
            await LookForChangesAsync(cancellationToken).ConfigureAwait(false);
            await Task.Delay(period, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task LookForChangesAsync(CancellationToken cancellationToken)
    {
        try
        {
            var digests = await DigestsAsync(cancellationToken).ConfigureAwait(false);
            foreach (var pod in Differences(digests))
            {
                changed(pod);
            }
        }
        catch (RpcException e) when (!cancellationToken.IsCancellationRequested)
        {
            LogFailed(logger, "Listing the runtime's pods", e.Status.Detail);
        }
    }

    private List<RuntimePod> Differences(Dictionary<RuntimePod, string> digests)
    {
        lock (known)
        {
            var different = digests.Where(d => !known.TryGetValue(d.Key.Uid, out var before) || before != d.Value).Select(d => d.Key).ToList();
            different.AddRange(known.Keys.Where(uid => digests.Keys.All(p => p.Uid != uid)).Select(uid => new RuntimePod(uid, "", "")));
            known.Clear();
            foreach (var (pod, digest) in digests)
            {
                known[pod.Uid] = digest;
            }

            return different;
        }
    }

    private async Task<Dictionary<RuntimePod, string>> DigestsAsync(CancellationToken cancellationToken)
    {
        var sandboxes = await runtime.ListPodSandboxAsync(new ListPodSandboxRequest(), cancellationToken).ConfigureAwait(false);
        var containers = await runtime.ListContainersAsync(new ListContainersRequest(), cancellationToken).ConfigureAwait(false);
        var parts = sandboxes.Items.Select(s => (Pod: PodOf(s.Labels), Part: $"{s.Id}={s.State}"))
            .Concat(containers.Containers.Select(c => (Pod: PodOf(c.Labels), Part: $"{c.Id}={c.State}")));
        return parts.Where(p => p.Pod is not null)
            .GroupBy(p => p.Pod!.Uid, StringComparer.Ordinal)
            .ToDictionary(g => g.First().Pod!, g => string.Join(' ', g.Select(p => p.Part).Order(StringComparer.Ordinal)));
    }

    private static RuntimePod? PodOf(ContainerEventResponse e) =>
        e.PodSandboxStatus?.Metadata is { Uid.Length: > 0 } m ? new RuntimePod(m.Uid, m.Namespace, m.Name)
        : e.ContainersStatuses.Select(c => PodOf(c.Labels)).FirstOrDefault(p => p is not null);

    private static RuntimePod? PodOf(IDictionary<string, string> labels) =>
        labels.TryGetValue(CriLabels.PodUid, out var uid)
            ? new RuntimePod(uid, labels.TryGetValue(CriLabels.PodNamespace, out var ns) ? ns : "", labels.TryGetValue(CriLabels.PodName, out var name) ? name : "")
            : null;

    [LoggerMessage(2, LogLevel.Information, "The runtime tells no events: its pods are listed every {Seconds} s")]
    private static partial void LogNoEvents(ILogger logger, double seconds);

    [LoggerMessage(1, LogLevel.Warning, "{What} failed, trying again: {Error}")]
    private static partial void LogFailed(ILogger logger, string what, string error);
}
