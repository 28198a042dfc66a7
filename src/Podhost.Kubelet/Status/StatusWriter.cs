using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Client;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Pods.Loop;

namespace Podhost.Kubelet.Status;

/// <summary>
/// The only writer of pod statuses. Of each pod the newest wins: what was decided while a write was under way is written next, what was
/// overtaken never. A few pods are written at once, one pod never twice at once. An object is deleted after its last status.
/// </summary>
internal sealed partial class StatusWriter(IApiClient client, IMirrorTargets mirrors, TimeProvider time, ILogger logger) : IPodStatusSink
{
    private const int WritesAtOnce = 8;
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(10);
    private readonly Lock gate = new();
    private readonly Dictionary<string, Slot> slots = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim writes = new(WritesAtOnce, WritesAtOnce);
    private readonly CancellationTokenSource ending = new();

    /// <inheritdoc/>
    public void Publish(V1Pod pod, PodOrigin origin, V1PodStatus status) => Offer(pod, origin, status, finish: false);

    /// <inheritdoc/>
    public void Finish(V1Pod pod, PodOrigin origin, V1PodStatus status) => Offer(pod, origin, status, finish: true);

    /// <summary>The mirror of a static pod appeared: what is known of the pod is written to it.</summary>
    public void Rewrite(string podUid)
    {
        lock (gate)
        {
            if (slots.TryGetValue(podUid, out var slot))
            {
                slot.Written = null;
                Begin(slot);
            }
        }
    }

    /// <summary>Waits for the writes under way, at most for <paramref name="patience"/>.</summary>
    public async Task EndAsync(TimeSpan patience)
    {
        Task[] pumps;
        lock (gate)
        {
            pumps = [.. slots.Values.Select(s => s.Pump)];
        }

        await Task.WhenAny(Task.WhenAll(pumps), Task.Delay(patience, time, CancellationToken.None)).ConfigureAwait(false);
        await ending.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(pumps).ConfigureAwait(false);
    }

    private void Offer(V1Pod pod, PodOrigin origin, V1PodStatus status, bool finish)
    {
        if (origin == PodOrigin.Orphan)
        {
            return;
        }

        lock (gate)
        {
            var uid = pod.Metadata.Uid;
            if (!slots.TryGetValue(uid, out var slot))
            {
                slots[uid] = slot = new Slot();
            }

            slot.Pod = pod;
            slot.Origin = origin;
            slot.Status = status;
            slot.Finish |= finish;
            Begin(slot);
        }
    }

    private void Begin(Slot slot)
    {
        slot.Dirty = true;
        if (!slot.Busy)
        {
            slot.Busy = true;
            slot.Pump = Task.Run(() => PumpAsync(slot), CancellationToken.None);
        }
    }

    private async Task PumpAsync(Slot slot)
    {
        var failures = 0;
        try
        {
            while (Take(slot) is { } work)
            {
                if (await TryWriteAsync(slot, work).ConfigureAwait(false))
                {
                    failures = 0;
                    continue;
                }

                lock (gate)
                {
                    slot.Dirty = true;
                }

                failures = Math.Min(failures + 1, 10);
                var delay = FirstRetry * Math.Pow(2, failures - 1);
                await Task.Delay(delay < LastRetry ? delay : LastRetry, time, ending.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The kubelet ends. The next one decides the same status again.
        }
    }

    private Work? Take(Slot slot)
    {
        lock (gate)
        {
            if (!slot.Dirty)
            {
                slot.Busy = false;
                if (slot.Finish)
                {
                    slots.Remove(slot.Pod.Metadata.Uid);
                }

                return null;
            }

            slot.Dirty = false;
            return new Work(slot.Pod, slot.Origin, slot.Status, slot.Finish, slot.Written);
        }
    }

    /// <summary>True where nothing remains to be done for this status.</summary>
    private async Task<bool> TryWriteAsync(Slot slot, Work work)
    {
        await writes.WaitAsync(ending.Token).ConfigureAwait(false);
        try
        {
            await WriteAsync(slot, work).ConfigureAwait(false);
            return true;
        }
        catch (ApiException e) when (e.IsNotFound || e.Code is System.Net.HttpStatusCode.Conflict)
        {
            // The object is gone, or another one has its name: there is nobody to tell.
            LogMoved(logger, Name(work.Pod), e.Message);
            return true;
        }
        catch (Exception e) when (e is ApiException or HttpRequestException or IOException)
        {
            LogFailed(logger, Name(work.Pod), e.Message);
            return false;
        }
        finally
        {
            writes.Release();
        }
    }

    private async Task WriteAsync(Slot slot, Work work)
    {
        var meta = work.Pod.Metadata;
        var uid = work.Origin == PodOrigin.Static ? mirrors.MirrorUidOf(meta.Uid) : meta.Uid;
        if (uid is null)
        {
            return;
        }

        var patch = StatusPatch.Of(uid, work.Status, work.Origin == PodOrigin.Api ? work.Pod.Status : null);
        var text = patch.ToJsonString();
        if (text != work.Written || IsOverwritten(slot, work))
        {
            var answer = await client.PatchAsync<V1Pod>(meta.NamespaceProperty, meta.Name, PatchKind.Strategic, patch, "status", ending.Token).ConfigureAwait(false);
            lock (gate)
            {
                slot.Written = text;
                slot.Version = VersionOf(answer);
            }
        }

        if (work.Finish && work.Origin == PodOrigin.Api && meta.DeletionTimestamp is not null)
        {
            var options = new V1DeleteOptions { GracePeriodSeconds = 0, Preconditions = new V1Preconditions { Uid = meta.Uid } };
            await client.DeleteAsync<V1Pod>(meta.NamespaceProperty, meta.Name, options, ending.Token).ConfigureAwait(false);
        }
    }

    // A node that was taken for lost has its pods marked not ready by a controller. A copy older than the last write says nothing about it.
    private static bool IsOverwritten(Slot slot, Work work) =>
        work.Origin == PodOrigin.Api
        && VersionOf(work.Pod) > slot.Version
        && work.Status.Conditions.Any(w => work.Pod.Status?.Conditions?.Any(c => c.Type == w.Type && c.Status != w.Status) == true);

    private static ulong VersionOf(V1Pod pod) => ulong.TryParse(pod.Metadata.ResourceVersion, out var version) ? version : 0;

    private static string Name(V1Pod pod) => $"{pod.Metadata.NamespaceProperty}/{pod.Metadata.Name}";

    [LoggerMessage(1, LogLevel.Warning, "Writing the status of pod {Pod} failed, trying again: {Error}")]
    private static partial void LogFailed(ILogger logger, string pod, string error);

    [LoggerMessage(2, LogLevel.Debug, "The status of pod {Pod} has no object any more: {Error}")]
    private static partial void LogMoved(ILogger logger, string pod, string error);

    private sealed class Slot
    {
        public V1Pod Pod { get; set; } = null!;

        public PodOrigin Origin { get; set; }

        public V1PodStatus Status { get; set; } = null!;

        public bool Finish { get; set; }

        public bool Dirty { get; set; }

        public bool Busy { get; set; }

        public string? Written { get; set; }

        public ulong Version { get; set; }

        public Task Pump { get; set; } = Task.CompletedTask;
    }

    private sealed record Work(V1Pod Pod, PodOrigin Origin, V1PodStatus Status, bool Finish, string? Written);
}

/// <summary>The mirror pods that show static pods.</summary>
internal interface IMirrorTargets
{
    /// <summary>The UID of the mirror of a static pod, or null while there is none.</summary>
    string? MirrorUidOf(string staticUid);
}

/// <summary>A kubelet without an API server tells nobody.</summary>
internal sealed class NoStatusSink : IPodStatusSink
{
    public void Publish(V1Pod pod, PodOrigin origin, V1PodStatus status)
    {
    }

    public void Finish(V1Pod pod, PodOrigin origin, V1PodStatus status)
    {
    }
}
