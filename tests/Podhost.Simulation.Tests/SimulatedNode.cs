using System.Collections.Concurrent;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Podhost.Cri.V1;
using Podhost.Kubelet.Containers;
using Podhost.Kubelet.Events;
using Podhost.Kubelet.Images;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Pods.Effects;
using Podhost.Kubelet.Pods.Loop;
using Podhost.Kubelet.Probes;
using Podhost.Kubelet.Resources;
using Podhost.Kubelet.Sources;
using Podhost.Kubelet.Volumes;

namespace Podhost.Simulation.Tests;

/// <summary>The real pod manager, loops, effects and runtime watcher over a fake runtime, with time that the test moves.</summary>
internal sealed class SimulatedNode : IPodStatusSink, IEventRecorder, IProbeManager, IVolumeManager, IPodCgroups, ILifecycleHookRunner, IContainerConfigFactory, IPodAdmission, IMirrorNames, IRuntimeHandlers
{
    private readonly CancellationTokenSource ending = new();
    private readonly HashSet<string> volumes = [];
    private readonly HashSet<string> cgroups = [];
    private readonly Lock gate = new();
    private readonly Task watching;
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("podhost-simulation-");
    private int activity;

    public SimulatedNode(FakeTimeProvider time, FakeRuntime runtime, SimulatedNode? before = null)
    {
        Time = time;
        Runtime = runtime;
        if (before is not null)
        {
            volumes = before.volumes;
            cgroups = before.cgroups;
        }

        var services = new PodLoopServices
        {
            Observer = new PodRuntimeObserver(runtime, new TerminationMessages(), time),
            Effects = new PodEffects(new PodEffectServices
            {
                Runtime = runtime,
                Images = new ImagePuller(runtime, new PullSecrets(new StandaloneObjectSource()), new PullRecords(directory.FullName, time), PullVerification.Default, 5, time),
                Configs = this,
                Volumes = this,
                Cgroups = this,
                Hooks = this,
                Handlers = this,
                Time = time,
                LogsDirectory = "/nonexistent-logs",
                RootDirectory = "/nonexistent-root",
            }),
            Status = this,
            Events = this,
            Probes = this,
            Time = time,
            Logger = NullLogger.Instance,
            Settings = () => new PodSettings { NodeName = "n", HostIPs = ["192.0.2.1"] },
            Observe = Observe,
        };
        Manager = new PodManager(services, this, this);
        watching = new RuntimeWatcher(runtime, p => Manager.Look(p.Uid), TimeSpan.FromSeconds(30), time, NullLogger.Instance).RunAsync(ending.Token);
    }

    public FakeTimeProvider Time { get; }

    public FakeRuntime Runtime { get; }

    public PodManager Manager { get; }

    public ConcurrentQueue<string> Breaches { get; } = new();

    public ConcurrentDictionary<string, V1PodStatus> Statuses { get; } = new();

    public ConcurrentDictionary<string, bool> Finished { get; } = new();

    public int Effects { get; private set; }

    /// <summary>Waits until nothing happens any more at this moment of the fake time.</summary>
    public async Task QuietAsync()
    {
        var (quiet, last) = (0, -1);
        while (quiet < 10)
        {
            await Task.Run(() => Thread.SpinWait(300));
            var now = Volatile.Read(ref activity) + Runtime.Calls;
            quiet = now == last && ThreadPool.PendingWorkItemCount == 0 ? quiet + 1 : 0;
            last = now;
        }
    }

    public async Task AdvanceAsync(TimeSpan by)
    {
        Time.Advance(by);
        await QuietAsync();
    }

    /// <summary>The kubelet dies: what it was doing is cut off where it is.</summary>
    public async Task CrashAsync()
    {
        await ending.CancelAsync();
        await Manager.EndAsync();
        await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        directory.Delete(recursive: true);
    }

    public void Publish(V1Pod pod, PodOrigin origin, V1PodStatus status) => Statuses[pod.Metadata.Uid] = status;

    public void Finish(V1Pod pod, PodOrigin origin, V1PodStatus status) => Finished[pod.Metadata.Uid] = true;

    public void Record(V1ObjectReference about, string type, string reason, string message, IReadOnlyDictionary<string, string>? annotations = null) => Interlocked.Increment(ref activity);

    public void Sync(string podUid, IReadOnlyList<ProbeTarget> targets)
    {
    }

    public void Remove(string podUid)
    {
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public async Task MountAsync(V1Pod pod, IReadOnlyList<string> podIPs, CancellationToken cancellationToken)
    {
        await StepAsync("Mount", cancellationToken);
        lock (gate)
        {
            volumes.Add(pod.Metadata.Uid);
        }
    }

    public Task<IReadOnlyList<Mount>> ResolveMountsAsync(V1Pod pod, V1Container container, IReadOnlyDictionary<string, string> env, MountSupport runtime, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<Mount>>([]);

    public IReadOnlyList<Device> ResolveDevices(V1Pod pod, V1Container container) => [];

    public async Task UnmountAsync(string podUid, CancellationToken cancellationToken)
    {
        await StepAsync("Unmount", cancellationToken);
        lock (gate)
        {
            if (Runtime.LiveContainers > 0)
            {
                Breaches.Enqueue("volumes are taken from a live container");
            }

            volumes.Remove(podUid);
        }
    }

    public IReadOnlyCollection<string> PodsOnDisk()
    {
        lock (gate)
        {
            return [.. volumes];
        }
    }

    public string ParentOf(V1Pod pod) => "/kubepods/pod" + pod.Metadata.Uid;

    public Task EnsureRootAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task EnsureAsync(V1Pod pod, CancellationToken cancellationToken)
    {
        await StepAsync("EnsureCgroup", cancellationToken);
        lock (gate)
        {
            cgroups.Add(pod.Metadata.Uid);
        }
    }

    public Task WidenAsync(V1Pod pod, CancellationToken cancellationToken) => StepAsync("WidenCgroup", cancellationToken);

    async Task IPodCgroups.RemoveAsync(string podUid, CancellationToken cancellationToken)
    {
        await StepAsync("RemoveCgroup", cancellationToken);
        lock (gate)
        {
            cgroups.Remove(podUid);
        }
    }

    public IReadOnlyCollection<string> PodsInCgroups()
    {
        lock (gate)
        {
            return [.. cgroups];
        }
    }

    public async Task<LifecycleHookOutcome> RunAsync(V1Pod pod, V1Container container, string containerId, string podIP, V1LifecycleHandler handler, DateTimeOffset deadline, CancellationToken cancellationToken)
    {
        await Task.Delay(TimeSpan.FromSeconds(1), Time, cancellationToken);
        return LifecycleHookOutcome.Success;
    }

    public Task<PodSandboxConfig> CreateSandboxConfigAsync(V1Pod pod, uint attempt, CancellationToken cancellationToken)
    {
        var config = new PodSandboxConfig { Metadata = new PodSandboxMetadata { Uid = pod.Metadata.Uid, Name = pod.Metadata.Name, Namespace = pod.Metadata.NamespaceProperty, Attempt = attempt } };
        config.Labels["io.kubernetes.pod.uid"] = pod.Metadata.Uid;
        return Task.FromResult(config);
    }

    public Task<ContainerConfig> CreateContainerConfigAsync(ContainerConfigRequest request, CancellationToken cancellationToken)
    {
        var config = new ContainerConfig { Metadata = new ContainerMetadata { Name = request.Container.Name, Attempt = request.Attempt } };
        config.Labels["io.kubernetes.pod.uid"] = request.Pod.Metadata.Uid;
        config.Labels["io.kubernetes.container.name"] = request.Container.Name;
        config.Annotations["io.kubernetes.container.hash"] = ContainerSpec.HashOf(request.Container);
        return Task.FromResult(config);
    }

    public AdmissionVerdict? Admit(V1Pod pod, PodOrigin origin) => AdmissionVerdict.Ok;

    public event Action<string, AdmissionVerdict>? Decided
    {
        add { }
        remove { }
    }

    public event Action<string, StopRequest>? Preempts
    {
        add { }
        remove { }
    }

    public event Action<string, PodAllocation>? Settled
    {
        add { }
        remove { }
    }

    public PodAllocation? Ask(V1Pod pod) => PodAllocation.Of(pod);

    public void SourcesKnown()
    {
    }

    public void Release(string podUid)
    {
    }

    public string? StaticUidOf(string mirrorUid) => null;

    public Task<string> HandlerOfAsync(string? runtimeClassName, CancellationToken cancellationToken) => Task.FromResult("");

    private async Task StepAsync(string step, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref activity);
        await Runtime.Steps.BeforeAsync(step, cancellationToken);
    }

    private void Observe(PodView view, PodDecision decision)
    {
        Interlocked.Increment(ref activity);
        Effects = decision.Effects.Length;
        foreach (var breach in PodInvariants.Breaches(view, decision))
        {
            Breaches.Enqueue(breach);
        }
    }
}
