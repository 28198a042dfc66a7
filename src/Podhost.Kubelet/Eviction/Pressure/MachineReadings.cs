using Grpc.Core;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Cri.Services;
using Podhost.Cri.V1;
using Podhost.Kubelet.Containers;
using Podhost.Kubelet.Hosting;
using Podhost.Kubelet.Resources;
using Podhost.Kubelet.Server.Stats;
using Podhost.Linux.Cgroups;
using Podhost.Linux.Files;
using Podhost.Linux.Polling;

namespace Podhost.Kubelet.Eviction.Pressure;

/// <summary>Where <see cref="MachineReadings"/> looks.</summary>
/// <param name="Cgroups">The cgroup tree; null: what pods use together is not known.</param>
/// <param name="PodsCgroup">The cgroup of all pods.</param>
/// <param name="PodsMemory">What they may use together in bytes; null where nothing holds them to it.</param>
/// <param name="RootDirectory">The kubelet's directory.</param>
internal sealed record ReadingPlaces(CgroupTree? Cgroups, string PodsCgroup, long? PodsMemory, string RootDirectory)
{
    public static ReadingPlaces Of(KubeletOptions options, KubeletDependencies parts) => new(
        parts.PodsCgroup?.Tree,
        parts.PodsCgroup?.Path ?? "",
        options.EnforceNodeAllocatable ? parts.Inventory.Resources.EnforcedMemoryBytes : null,
        options.RootDirectory);
}

/// <summary>The machine's own: /proc, statfs, the cgroup of all pods, the runtime's statistics.</summary>
internal sealed partial class MachineReadings(
    IRuntimeService runtime, IImageService images, StorageMeter meter, ReadingPlaces places, TimeProvider time, ILogger logger) : IEvictionReadings, IDisposable
{
    private static readonly TimeSpan Stall = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan StallWindow = TimeSpan.FromSeconds(2);

    private MemoryStall? stall = MemoryStall.TryOpen(Stall, StallWindow);
    private string? imageDirectory;

    /// <inheritdoc/>
    public bool SeparateImages { get; private set; }

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<EvictionSignal, EvictionObservation>> NodeAsync(CancellationToken cancellationToken)
    {
        var seen = new Dictionary<EvictionSignal, EvictionObservation>();
        var node = NodeUsage.Read();
        seen[EvictionSignal.MemoryAvailable] = EvictionObservation.Bytes(node.MemoryAvailable, node.MemoryTotal);
        if (places is { Cgroups: { } tree, PodsMemory: { } most } && CgroupUsage.Read(tree, places.PodsCgroup) is { } pods)
        {
            seen[EvictionSignal.AllocatableMemoryAvailable] = EvictionObservation.Bytes(Math.Max(0, most - (long)pods.WorkingSetBytes), most);
        }

        var (running, largest) = NodeUsage.Processes();
        seen[EvictionSignal.PidAvailable] = EvictionObservation.Count(Math.Max(0, largest - running), largest);
        var own = FileSystem(places.RootDirectory, EvictionSignal.NodeFsAvailable, EvictionSignal.NodeFsInodesFree, seen);
        var imageFs = await ImageDirectoryAsync(cancellationToken).ConfigureAwait(false) is { } directory
            ? FileSystem(directory, EvictionSignal.ImageFsAvailable, EvictionSignal.ImageFsInodesFree, seen)
            : own;
        SeparateImages = own is { } a && imageFs is { } b && a != b;
        return seen;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<PodShare>> PodsAsync(IReadOnlyList<V1Pod> pods, EvictionSignal signal, CancellationToken cancellationToken)
    {
        if (EvictionSignals.IsDisk(signal))
        {
            var shares = new List<PodShare>();
            foreach (var pod in pods)
            {
                shares.Add(new PodShare(pod) { Storage = await StorageAsync(pod, cancellationToken).ConfigureAwait(false) });
            }

            return shares;
        }

        return EvictionSignals.IsMemory(signal)
            ? await MemoryAsync(pods, cancellationToken).ConfigureAwait(false)
            : await ProcessesAsync(pods, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task ShortageAsync(CancellationToken cancellationToken)
    {
        try
        {
            await (stall?.WaitAsync(cancellationToken) ?? Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken)).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            // The period alone looks from now on.
            LogNoEvents(logger, e.Message);
            stall?.Dispose();
            stall = null;
        }
    }

    public void Dispose() => stall?.Dispose();

    private async Task<StorageUsage?> StorageAsync(V1Pod pod, CancellationToken cancellationToken)
    {
        try
        {
            return await meter.MeasureAsync(pod, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            LogUnknown(logger, pod.Metadata.NamespaceProperty, pod.Metadata.Name, e.Message);
            return null;
        }
    }

    private async Task<IReadOnlyList<PodShare>> MemoryAsync(IReadOnlyList<V1Pod> pods, CancellationToken cancellationToken)
    {
        var response = await runtime.ListContainerStatsAsync(new ListContainerStatsRequest(), cancellationToken).ConfigureAwait(false);
        var byPod = response.Stats.ToLookup(s => s.Attributes?.Labels.GetValueOrDefault(CriLabels.PodUid, "") ?? "");
        return
        [
            .. pods.Select(p => new PodShare(p)
            {
                Memory = byPod.Contains(p.Metadata.Uid)
                    ? byPod[p.Metadata.Uid].GroupBy(s => s.Attributes.Metadata?.Name ?? "").ToDictionary(g => g.Key, g => g.Max(s => (long)(s.Memory?.WorkingSetBytes?.Value ?? 0)))
                    : null,
            }),
        ];
    }

    private async Task<IReadOnlyList<PodShare>> ProcessesAsync(IReadOnlyList<V1Pod> pods, CancellationToken cancellationToken)
    {
        var response = await runtime.ListPodSandboxStatsAsync(new ListPodSandboxStatsRequest(), cancellationToken).ConfigureAwait(false);
        var byPod = response.Stats.ToLookup(s => s.Attributes?.Labels.GetValueOrDefault(CriLabels.PodUid, "") ?? "");
        return [.. pods.Select(p => new PodShare(p) { Processes = byPod[p.Metadata.Uid].Max(s => (long?)s.Linux?.Process?.ProcessCount?.Value) })];
    }

    /// <summary>Where the runtime keeps images; asked until it answers, then known.</summary>
    private async Task<string?> ImageDirectoryAsync(CancellationToken cancellationToken)
    {
        if (imageDirectory is null)
        {
            try
            {
                var info = await images.ImageFsInfoAsync(new ImageFsInfoRequest(), cancellationToken).ConfigureAwait(false);
                imageDirectory = info.ImageFilesystems.FirstOrDefault()?.FsId?.Mountpoint is { Length: > 0 } path ? path : null;
            }
            catch (RpcException e) when (!cancellationToken.IsCancellationRequested)
            {
                LogNoImages(logger, e.Status.Detail);
            }
        }

        return imageDirectory;
    }

    private ulong? FileSystem(string path, EvictionSignal bytes, EvictionSignal inodes, Dictionary<EvictionSignal, EvictionObservation> seen)
    {
        try
        {
            var usage = FileSystemUsage.Read(path);
            seen[bytes] = EvictionObservation.Bytes(usage.AvailableBytes, usage.TotalBytes);
            if (usage.Inodes > 0)
            {
                seen[inodes] = EvictionObservation.Count(usage.InodesFree, usage.Inodes);
            }

            return usage.Device;
        }
        catch (IOException e)
        {
            LogNoFileSystem(logger, path, e.Message);
            return null;
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The kernel does not tell of memory shortage; it is looked at each period: {Error}")]
    private static partial void LogNoEvents(ILogger logger, string error);

    [LoggerMessage(2, LogLevel.Warning, "What pod {Namespace}/{Name} holds on the disk cannot be measured: {Error}")]
    private static partial void LogUnknown(ILogger logger, string @namespace, string name, string error);

    [LoggerMessage(3, LogLevel.Warning, "The runtime does not say where its images are, trying again: {Error}")]
    private static partial void LogNoImages(ILogger logger, string error);

    [LoggerMessage(4, LogLevel.Warning, "The file system of {Path} cannot be read: {Error}")]
    private static partial void LogNoFileSystem(ILogger logger, string path, string error);
}
