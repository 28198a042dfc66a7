using Grpc.Core;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Cri.V1;
using Podhost.Kubelet.Eviction;
using Podhost.Kubelet.Eviction.Pressure;
using Podhost.Kubelet.Images;
using Podhost.Kubelet.Logs;
using Podhost.Kubelet.Node;
using Podhost.Kubelet.Pods;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Pods.Effects;
using Podhost.Kubelet.Pods.Loop;
using Podhost.Kubelet.Probes;
using Podhost.Kubelet.Sources;
using Podhost.Kubelet.Status;

namespace Podhost.Kubelet.Hosting;

/// <summary>
/// The kubelet: sources say which pods are wanted, a loop for each pod makes it so, the node's object is kept. Ending it leaves every pod
/// running; the next kubelet adopts them.
/// </summary>
public sealed partial class KubeletHost
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LastWrites = TimeSpan.FromSeconds(2);
    private readonly ContainerCounts counts = new();
    private readonly KubeletOptions options;
    private readonly KubeletDependencies parts;
    private readonly ILogger logger;
    private readonly PodManager manager;
    private readonly NodeAdmission admission;
    private readonly RuntimeWatcher watcher;
    private readonly StatusWriter? statuses;
    private readonly MirrorPods? mirrors;
    private readonly NodeAgent? agent;
    private readonly OrphanPods orphans;
    private readonly StorageEviction eviction;
    private readonly ImagePuller puller;
    private readonly ImageGarbage garbage;
    private readonly MachineReadings readings;
    private readonly PressureEviction pressure;
    private NamedWatch<V1Node>? node;
    private volatile bool sourcesKnown;
    private PodSettings settings;
    private volatile RuntimeTraits traits = RuntimeTraits.Unknown;

    /// <summary>Builds a kubelet; nothing runs before <see cref="RunAsync"/>.</summary>
    public KubeletHost(KubeletOptions options, KubeletDependencies dependencies)
    {
        this.options = options;
        parts = dependencies;
        logger = parts.Loggers.CreateLogger<KubeletHost>();
        settings = new PodSettings
        {
            NodeName = options.NodeName,
            HostIPs = [.. parts.Inventory.HostIPs],
            RestartBackOffMax = options.MaxContainerRestartPeriod,
        };
        if (parts.Client is { } client)
        {
            agent = new NodeAgent(options, parts.Inventory, client, parts.Runtime, parts.Images, Pressures, parts.Events, parts.Time, logger);
            mirrors = new MirrorPods(client, ct => agent.Registered.WaitAsync(ct), parts.Time, logger);
            statuses = new StatusWriter(client, mirrors, parts.Time, logger);
            mirrors.Appeared += statuses.Rewrite;
        }

        var records = new PullRecords(Path.Combine(options.RootDirectory, "image_manager"), parts.Time);
        puller = new ImagePuller(
            parts.Images,
            new PullSecrets(parts.Objects),
            records,
            new PullVerification(options.ImagePullCredentialsVerificationPolicy, options.PreloadedImagesVerificationAllowlist),
            options.MaxParallelImagePulls,
            parts.Time);
        garbage = new ImageGarbage(GarbageServices(records), options.ImageGarbage);
        puller.Granted += garbage.Granted;
        admission = new NodeAdmission(
            new NodeJudgement(parts.Inventory.Resources, () => node?.Object, options.AllowedUnsafeSysctls, Pressures, () => traits),
            new AllocationFile(Path.Combine(options.RootDirectory, "allocated_pods_state")),
            parts.Time,
            logger);
        manager = new PodManager(LoopServices(), admission, (IMirrorNames?)mirrors ?? new NoMirrors());
        manager.Tracked += Track;
        manager.Tracked += garbage.Track;
        var meter = new StorageMeter(parts.Runtime, options.RootDirectory, options.PodLogsDirectory);
        eviction = new StorageEviction(manager, meter, options.EvictionMonitoringPeriod, parts.Time, logger);
        manager.Tracked += eviction.Track;
        readings = new MachineReadings(parts.Runtime, parts.Images, meter, ReadingPlaces.Of(options, parts), parts.Time, logger);
        pressure = new PressureEviction(options, manager, readings, garbage, parts.Events, parts.Time, logger);
        pressure.Changed += () => agent?.Wake();
        manager.Tracked += pressure.Track;
        watcher = new RuntimeWatcher(parts.Runtime, RuntimeChanged, options.RuntimeRelistPeriod, parts.Time, logger);
        orphans = new OrphanPods(parts.Volumes, parts.Cgroups, options.PodLogsDirectory);
    }

    /// <summary>What the kubelet's server asks about pods.</summary>
    public IPodDirectory Pods => manager;

    /// <summary>Counts of containers, for /metrics: series in Prometheus' text format.</summary>
    public string Counts() => counts.ToString();

    /// <summary>Takes the report of a probe.</summary>
    public void Report(ProbeReport report) => manager.Report(report);

    /// <summary>Runs until cancelled, or until a part fails for good.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        parts.Objects.Changed += manager.ReferencesChanged;
        try
        {
            await LearnRuntimeAsync(ending.Token).ConfigureAwait(false);
            await parts.Cgroups.EnsureRootAsync(ending.Token).ConfigureAwait(false);
            var running = Start(ending.Token);
            var first = await Task.WhenAny(running).ConfigureAwait(false);
            await ending.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await first.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            LogEnding(logger);
        }
        finally
        {
            parts.Objects.Changed -= manager.ReferencesChanged;
            await manager.EndAsync().ConfigureAwait(false);
            await (statuses?.EndAsync(LastWrites) ?? Task.CompletedTask).ConfigureAwait(false);
            node?.Stop();
            readings.Dispose();
        }
    }

    private IReadOnlyList<string> Pressures() => pressure.Conditions;

    private List<Task> Start(CancellationToken cancellationToken)
    {
        var sources = new StaticPodSources(options, parts, new StaticTarget(manager, mirrors), logger);
        List<Task> running =
        [
            watcher.RunAsync(cancellationToken), eviction.RunAsync(cancellationToken), pressure.RunAsync(cancellationToken), garbage.RunAsync(cancellationToken),
        ];
        if (options.ContainerLogMaxBytes >= 0)
        {
            var rotator = new LogRotator(parts.Runtime, options.ContainerLogMaxBytes, options.ContainerLogMaxFiles, parts.Time);
            running.Add(new LogMonitor(rotator, manager.RunningLogs, options.ContainerLogMaxWorkers, options.ContainerLogMonitorInterval, parts.Time, logger).RunAsync(cancellationToken));
        }

        running.AddRange(sources.Start(cancellationToken));
        if (parts.Client is { } client)
        {
            node = new NamedWatch<V1Node>(client, null, options.NodeName, parts.Time, logger, () => agent!.Observe(node?.Object));
            running.Add(agent!.RunAsync(cancellationToken));
            running.Add(new NodeLease(options.NodeName, options.NodeLeaseDuration, client, agent.Registered, parts.Time, logger).RunAsync(cancellationToken));
            running.Add(mirrors!.RunAsync(cancellationToken));
        }

        running.Add(FollowAsync(sources, cancellationToken));
        return running;
    }

    /// <summary>Follows the API server's pods; once all sources are known, what nobody knows is an orphan.</summary>
    private async Task FollowAsync(StaticPodSources sources, CancellationToken cancellationToken)
    {
        await sources.FilesKnown.WaitAsync(cancellationToken).ConfigureAwait(false);
        using var api = parts.Pods is { } informer && mirrors is not null ? new ApiPodSource(informer, new ApiTarget(this), mirrors) : null;
        await (api?.StartAsync(cancellationToken) ?? Task.CompletedTask).ConfigureAwait(false);

        // A page that cannot be had yet may name pods that run: until it was read nothing is an orphan.
        await sources.PageKnown.WaitAsync(cancellationToken).ConfigureAwait(false);
        sourcesKnown = true;
        admission.SourcesKnown();
        await SweepAsync(cancellationToken).ConfigureAwait(false);
        await Task.Delay(Timeout.InfiniteTimeSpan, parts.Time, cancellationToken).ConfigureAwait(false);
    }

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                var inRuntime = await watcher.ListAsync(cancellationToken).ConfigureAwait(false);
                foreach (var orphan in orphans.Find(inRuntime, manager.Has))
                {
                    manager.Set(orphan, PodOrigin.Orphan);
                }

                return;
            }
            catch (RpcException e) when (!cancellationToken.IsCancellationRequested)
            {
                LogRuntimeDown(logger, e.Status.Detail);
                await Task.Delay(RetryAfter, parts.Time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task LearnRuntimeAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                var version = await parts.Runtime.VersionAsync(new VersionRequest(), cancellationToken).ConfigureAwait(false);
                traits = RuntimeTraits.Of(version, await parts.Runtime.StatusAsync(new StatusRequest(), cancellationToken).ConfigureAwait(false));
                settings = settings with { RuntimeName = version.RuntimeName, RecursiveReadOnlyHandlers = traits.RecursiveReadOnly };
                return;
            }
            catch (RpcException e) when (!cancellationToken.IsCancellationRequested)
            {
                LogRuntimeDown(logger, e.Status.Detail);
                await Task.Delay(RetryAfter, parts.Time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private ImageGarbageServices GarbageServices(PullRecords records) => new()
    {
        Images = parts.Images,
        Runtime = parts.Runtime,
        Records = records,
        Disk = directory => new DriveInfo(directory) is var disk ? new DiskSpace(disk.TotalSize, disk.AvailableFreeSpace) : default,
        InfraImage = options.PodInfraContainerImage,
        Warn = (reason, message) => parts.Events.Record(agent?.Reference() ?? NodeAgent.ReferenceTo(options.NodeName), "Warning", reason, message),
        Time = parts.Time,
        Logger = logger,
    };

    private PodLoopServices LoopServices() => new()
    {
        Observer = new PodRuntimeObserver(parts.Runtime, new TerminationMessages(), parts.Time),
        Effects = new PodEffects(new PodEffectServices
        {
            Runtime = parts.Runtime,
            Images = puller,
            Configs = parts.Configs,
            Volumes = parts.Volumes,
            Cgroups = parts.Cgroups,
            Hooks = parts.Hooks,
            Handlers = new RuntimeHandlers(parts.Client),
            Traits = () => traits,
            Time = parts.Time,
            Logger = parts.Loggers.CreateLogger<PodEffects>(),
            LogsDirectory = options.PodLogsDirectory,
            RootDirectory = options.RootDirectory,
        }),
        Status = (IPodStatusSink?)statuses ?? new NoStatusSink(),
        Events = parts.Events,
        Probes = parts.Probes,
        Time = parts.Time,
        Logger = parts.Loggers.CreateLogger<PodLoop>(),
        Settings = () => settings,
        Observe = counts.Follow,
    };

    private void RuntimeChanged(RuntimePod pod)
    {
        if (!manager.Look(pod.Uid) && sourcesKnown && pod.Name.Length > 0)
        {
            manager.Set(OrphanPods.Make(pod), PodOrigin.Orphan);
        }
    }

    private void Track(string uid, V1Pod? pod)
    {
        if (pod is null)
        {
            parts.Objects.Untrack(uid);
            mirrors?.Ended(uid);
        }
        else
        {
            parts.Objects.Track(pod);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The container runtime does not answer, trying again: {Error}")]
    private static partial void LogRuntimeDown(ILogger logger, string error);

    [LoggerMessage(2, LogLevel.Information, "The kubelet ends; pods keep running")]
    private static partial void LogEnding(ILogger logger);

    private sealed class ApiTarget(KubeletHost kubelet) : IPodTarget
    {
        public void Set(V1Pod pod) => kubelet.manager.Set(pod, PodOrigin.Api);

        public void Gone(string uid, V1Pod? last) => kubelet.manager.Gone(uid, last);
    }
}
