using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Kubelet.Eviction.Pressure;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Probes;

namespace Podhost.Kubelet.Pods.Loop;

/// <summary>
/// All pods of the node: a loop for each UID. Two pods of one name never run at once: a later one waits for the end of the one before.
/// </summary>
internal sealed partial class PodManager : IPodDirectory, IEvictablePods
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Entry> entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<Entry>> byName = new(StringComparer.Ordinal);

    /// <summary>Pods that are finished here while their source still has them.</summary>
    private readonly HashSet<string> finished = new(StringComparer.Ordinal);
    private readonly PodLoopServices services;
    private readonly IPodAdmission admission;
    private readonly IMirrorNames mirrors;
    private readonly CancellationTokenSource ending = new();

    public PodManager(PodLoopServices services, IPodAdmission admission, IMirrorNames mirrors)
    {
        this.services = services;
        this.admission = admission;
        this.mirrors = mirrors;
        admission.Decided += (uid, verdict) => Post(uid, m => m.Admission = verdict);
        admission.Preempts += Stop;
        admission.Settled += (uid, given) => Post(uid, m => m.Allocation = given);
    }

    /// <summary>Raised when a pod comes or its spec changes, and with null when it is finished.</summary>
    public event Action<string, V1Pod?>? Tracked;

    /// <summary>The pod as its source wants it now.</summary>
    public void Set(V1Pod pod, PodOrigin origin)
    {
        Entry entry;
        lock (gate)
        {
            if (finished.Contains(pod.Metadata.Uid))
            {
                return;
            }

            if (entries.TryGetValue(pod.Metadata.Uid, out var known) && known.IsGone && origin == PodOrigin.Static)
            {
                // A manifest came back as it was while its pod is ending: the same pod begins again once it has ended.
                known.Again = (pod, origin);
                return;
            }

            if (known is not null)
            {
                var given = admission.Ask(pod);
                known.Loop.Post(m => (m.Pod, m.Allocation) = (pod, given ?? m.Allocation));
                entry = known;
            }
            else
            {
                entry = Begin(pod, origin);
            }
        }

        Tracked?.Invoke(pod.Metadata.Uid, pod);
    }

    /// <summary>The source does not have the pod any more.</summary>
    public void Gone(string uid, V1Pod? last = null)
    {
        lock (gate)
        {
            finished.Remove(uid);
            if (entries.TryGetValue(uid, out var entry))
            {
                (entry.IsGone, entry.Again) = (true, null);
                entry.Loop.Post(m =>
                {
                    m.Pod = last ?? m.Pod;
                    m.Gone = true;
                });
            }
        }
    }

    /// <summary>Something of the pod changed in the runtime. False where no loop has the pod.</summary>
    public bool Look(string uid)
    {
        lock (gate)
        {
            if (!entries.TryGetValue(uid, out var entry))
            {
                return false;
            }

            entry.Loop.Post(m => m.Look = true);
            return true;
        }
    }

    /// <summary>Stops a pod for the node's sake.</summary>
    public void Stop(string uid, StopRequest request) => Post(uid, m => m.Stop = request);

    public void Report(ProbeReport report) =>
        Post(report.PodUid, m => m.Probes[new ProbeKey(report.ContainerId, report.Kind)] = new ProbeView(report.Result, report.Message));

    public void ReferencesChanged(IReadOnlyCollection<string> uids)
    {
        lock (gate)
        {
            foreach (var uid in uids)
            {
                if (entries.TryGetValue(uid, out var entry))
                {
                    entry.Loop.Post(m => m.ReferencesChanged = true);
                }
            }
        }
    }

    public IReadOnlyList<PodSnapshot> Snapshots()
    {
        lock (gate)
        {
            return [.. entries.Values.Select(e => e.Loop.Snapshot)];
        }
    }

    public bool Has(string uid)
    {
        lock (gate)
        {
            return entries.ContainsKey(uid);
        }
    }

    /// <summary>Ends all loops; the pods run on.</summary>
    public async Task EndAsync()
    {
        Task[] tasks;
        lock (gate)
        {
            tasks = [.. entries.Values.Select(e => e.Task)];
        }

        await ending.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(tasks).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public IReadOnlyList<V1Pod> List() => [.. Snapshots().Select(s => s.Pod)];

    /// <inheritdoc/>
    public V1Pod? Find(string ns, string name)
    {
        lock (gate)
        {
            return byName.TryGetValue($"{ns}/{name}", out var list) ? list[^1].Loop.Snapshot.Pod : null;
        }
    }

    /// <inheritdoc/>
    public V1Pod? FindByUid(string uid) => SnapshotOf(uid)?.Pod;

    /// <inheritdoc/>
    public PodContainerInstance? FindContainer(string podUid, string containerName, bool previous = false)
    {
        if (SnapshotOf(podUid) is not { Runtime: { } runtime } snapshot)
        {
            return null;
        }

        var instance = previous ? Previous(snapshot, runtime, containerName) : runtime.Latest(containerName);
        return instance is { } c ? new PodContainerInstance(c.Id, c.State == RunState.Running, c.Attempt, c.LogPath) : null;
    }

    /// <summary>The instance that the status shows as the last state: while a container backs off that is the newest, which is dead.</summary>
    private static ContainerView? Previous(PodSnapshot snapshot, RuntimeView runtime, string name)
    {
        var status = snapshot.Pod.Status;
        var one = (status.ContainerStatuses ?? []).Concat(status.InitContainerStatuses ?? []).FirstOrDefault(s => s.Name == name);
        return one?.LastState?.Terminated?.ContainerID is { } id
            ? runtime.Containers.FirstOrDefault(c => c.Name == name && id.EndsWith("://" + c.Id, StringComparison.Ordinal))
            : null;
    }

    /// <summary>ID and log of every running container that has one.</summary>
    public IReadOnlyList<(string Id, string Log)> RunningLogs() =>
    [
        .. Snapshots().SelectMany(s => s.Runtime is { } r ? r.Containers.Where(c => c.State == RunState.Running && c.LogPath.Length > 0) : []).Select(c => (c.Id, c.LogPath)),
    ];

    /// <inheritdoc/>
    public string? FindSandbox(string podUid) => SnapshotOf(podUid)?.Runtime?.Sandboxes.FirstOrDefault(s => s.Ready)?.Id;

    /// <summary>A pod at this moment, also by the UID of its mirror; null where no loop has it.</summary>
    public PodSnapshot? SnapshotOf(string uid)
    {
        lock (gate)
        {
            return entries.TryGetValue(mirrors.StaticUidOf(uid) ?? uid, out var entry) ? entry.Loop.Snapshot : null;
        }
    }

    private void Post(string uid, Action<Mail> write)
    {
        lock (gate)
        {
            if (entries.TryGetValue(uid, out var entry))
            {
                entry.Loop.Post(write);
            }
        }
    }

    private Entry Begin(V1Pod pod, PodOrigin origin)
    {
        var name = $"{pod.Metadata.NamespaceProperty}/{pod.Metadata.Name}";
        if (!byName.TryGetValue(name, out var sameName))
        {
            byName[name] = sameName = [];
        }

        var loop = new PodLoop(pod, origin, blocked: sameName.Count > 0, services, admission.Release);
        var entry = new Entry(loop);
        entries[loop.Uid] = entry;
        sameName.Add(entry);
        var verdict = origin == PodOrigin.Orphan ? AdmissionVerdict.Ok : admission.Admit(pod, origin);
        var given = admission.Ask(pod);
        loop.Post(m => (m.Admission, m.Allocation) = (verdict, given));
        entry.Task = Task.Run(() => RunAsync(entry, origin), CancellationToken.None);
        return entry;
    }

    private async Task RunAsync(Entry entry, PodOrigin origin)
    {
        try
        {
            await entry.Loop.RunAsync(ending.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            return;
        }
        catch (Exception e)
        {
            // A loop that fails is a defect. The pod is left alone rather than handled half-way; a restart of the kubelet adopts it.
            LogFailed(services.Logger, entry.Loop.FullName, e);
            return;
        }

        Remove(entry, origin);
    }

    private void Remove(Entry entry, PodOrigin origin)
    {
        var uid = entry.Loop.Uid;
        services.Observer.Forget(uid);
        V1Pod? again = null;
        lock (gate)
        {
            entries.Remove(uid);
            if (origin == PodOrigin.Api)
            {
                finished.Add(uid);
            }

            var sameName = byName[entry.Loop.FullName];
            sameName.Remove(entry);
            if (sameName.Count == 0)
            {
                byName.Remove(entry.Loop.FullName);
            }
            else
            {
                sameName[0].Loop.Post(m => m.Blocked = false);
            }

            if (entry.Again is { } next)
            {
                again = next.Pod;
                Begin(next.Pod, next.Origin);
            }
        }

        Tracked?.Invoke(uid, again);
    }

    [LoggerMessage(1, LogLevel.Critical, "The loop of pod {Pod} failed; the pod is left as it is")]
    private static partial void LogFailed(ILogger logger, string pod, Exception error);

    private sealed class Entry(PodLoop loop)
    {
        public PodLoop Loop { get; } = loop;

        /// <summary>True once the source does not have it any more.</summary>
        public bool IsGone { get; set; }

        /// <summary>What its source has had again since then.</summary>
        public (V1Pod Pod, PodOrigin Origin)? Again { get; set; }

        public Task Task { get; set; } = Task.CompletedTask;
    }
}
