using System.Diagnostics;
using Grpc.Core;
using k8s.Models;
using Podhost.Cri.V1;
using Podhost.Kubelet.Eviction;
using Podhost.Kubelet.Resources;
using Podhost.Kubelet.Server.Metrics;

namespace Podhost.Kubelet.Server.Stats;

/// <summary>Gathers a summary: cgroups and file systems as the kernel tells of them, else what the runtime says.</summary>
internal sealed class SummaryReader(KubeletServerOptions options, KubeletServerServices services, TimeProvider time)
{
    /// <summary>A runtime counts all its images and layers for an answer.</summary>
    private static readonly TimeSpan RuntimeDisksFresh = TimeSpan.FromSeconds(30);

    private readonly UsageRates rates = new(time);
    private readonly PodDisks disks = new(options.RootDirectory, options.LogsDirectory, time);
    private readonly DateTimeOffset started = ProcessStart();
    private volatile RuntimeDisks? known;

    public async Task<NodeFigures> NodeAsync(NodeUsage usage, CancellationToken cancellationToken)
    {
        var (_, images, containers) = await RuntimeDisksAsync(cancellationToken).ConfigureAwait(false);
        return new NodeFigures(usage, rates.Of("", (ulong)usage.CpuNanoseconds, usage.BootedAt))
        {
            SystemContainers = [.. SystemContainers()],
            Interfaces = [.. InterfaceCounters.Of(Environment.ProcessId).Where(i => !i.Name.StartsWith("veth", StringComparison.Ordinal))],
            Disk = DiskFigures.OfAll(options.RootDirectory),
            Images = images,
            Containers = containers,
        };
    }

    public PodFigures Pod(PodUsage pod, CancellationToken cancellationToken)
    {
        var path = pod.Pod is { } known && services.Cadvisor is { } source ? PodCgroupPath.OfPod(source.Resources, known) : null;
        var figures = Cgroup(path) ?? UsageFigures.Of(pod);
        var disk = pod.Pod is null ? null : disks.Of(pod.Pod, cancellationToken);
        var containers = pod.Containers.Select(c => Container(pod, c, path, disk)).ToList();
        return new PodFigures(pod, figures, Rate(pod.Uid, figures, pod.Pod?.Status?.StartTime), containers, disk)
        {
            Interfaces = Interfaces(pod, path),
            EphemeralStorage = Ephemeral(disk, containers),
        };
    }

    private ContainerFigures Container(PodUsage pod, ContainerStats stats, string? podPath, PodDisk? disk)
    {
        var name = stats.Attributes.Metadata?.Name ?? "";
        var figures = Cgroup(podPath is null ? null : $"{podPath}/{stats.Attributes.Id}") ?? UsageFigures.Of(stats);
        var began = pod.StartedAt(name);
        return new ContainerFigures(
            name, began, figures, Rate(stats.Attributes.Id, figures, began), Layer(stats.WritableLayer),
            disk?.Logs.TryGetValue(name, out var logs) == true ? logs : null);
    }

    private UsageFigures? Cgroup(string? path) => path is not null && services.Cadvisor is { } source ? UsageFigures.Of(source.Tree, path) : null;

    private ulong Rate(string key, UsageFigures figures, DateTime? since) =>
        rates.Of(key, figures.CpuNanoseconds ?? 0, since is { } at ? new DateTimeOffset(at.ToUniversalTime()) : null);

    private static DiskFigures? Layer(FilesystemUsage? layer) => layer?.FsId?.Mountpoint is { Length: > 0 } place
        ? DiskFigures.Of(place, new DiskUse((long)(layer.UsedBytes?.Value ?? 0), (long)(layer.InodesUsed?.Value ?? 0)))
        : null;

    private DiskFigures? Ephemeral(PodDisk? disk, List<ContainerFigures> containers)
    {
        var held = (disk?.Volumes ?? []).Where(v => v.IsLocal).Select(v => v.Disk)
            .Concat(containers.SelectMany(c => new[] { c.Layer, c.Logs }).OfType<DiskFigures>());
        return disk is null ? null : DiskFigures.Of(options.RootDirectory, held.Aggregate(default(DiskUse), (sum, d) => sum + new DiskUse(d.UsedBytes, d.InodesUsed ?? 0)));
    }

    private IReadOnlyList<InterfaceCounters> Interfaces(PodUsage pod, string? path)
    {
        if (pod.Pod?.Spec?.HostNetwork == true)
        {
            return [];
        }

        return path is not null && services.Pods.FindSandbox(pod.Uid) is { } sandbox && services.Cadvisor!.Tree.Processes($"{path}/{sandbox}") is [var process, ..]
            ? InterfaceCounters.Of(process)
            : Told(pod.Sandbox?.Linux?.Network);
    }

    private static IReadOnlyList<InterfaceCounters> Told(NetworkUsage? network) => network?.DefaultInterface is not { } main ? [] :
    [
        .. network.Interfaces.Prepend(main).Select(i => new InterfaceCounters(
            i.Name, (long)(i.RxBytes?.Value ?? 0), 0, (long)(i.RxErrors?.Value ?? 0), 0, (long)(i.TxBytes?.Value ?? 0), 0, (long)(i.TxErrors?.Value ?? 0), 0)),
    ];

    private IEnumerable<SystemContainer> SystemContainers()
    {
        if (services.Cadvisor is not { } source)
        {
            yield break;
        }

        var own = source.Tree.IsV2 && OwnCgroup() is { Length: > 1 } path ? UsageFigures.Of(source.Tree, path) : null;
        own = (own ?? UsageFigures.OfThisProcess()) with { MemoryAvailable = null };
        var rate = rates.Of("/", own.CpuNanoseconds ?? 0, started);
        yield return new SystemContainer("kubelet", started, own, rate);
        if (services.RuntimeIsHere)
        {
            yield return new SystemContainer("runtime", started, own, rate);
        }

        var all = PodCgroupPath.Root(source.Resources);
        if (UsageFigures.Of(source.Tree, all) is { } pods)
        {
            var since = source.Tree.Directory("memory", all) is { } directory ? new DateTimeOffset(Directory.GetLastWriteTimeUtc(directory)) : started;
            yield return new SystemContainer("pods", since, pods, rates.Of(all, pods.CpuNanoseconds ?? 0, since));
        }
    }

    // 0::/path. On v1 a process is in another cgroup of each hierarchy: none tells of all.
    private static string? OwnCgroup() => File.ReadLines("/proc/self/cgroup").FirstOrDefault(l => l.StartsWith("0::", StringComparison.Ordinal))?[3..];

    private async Task<RuntimeDisks> RuntimeDisksAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (known is { } before && now - before.At < RuntimeDisksFresh)
        {
            return before;
        }

        if (services.Images is null)
        {
            return new RuntimeDisks(now, null, null);
        }

        try
        {
            var info = await services.Images.ImageFsInfoAsync(new ImageFsInfoRequest(), cancellationToken).ConfigureAwait(false);
            var images = Layer(info.ImageFilesystems.FirstOrDefault());

            // Older runtimes tell of images only: what containers write is on the same file system then.
            return known = new RuntimeDisks(now, images, info.ContainerFilesystems.Count > 0 ? Layer(info.ContainerFilesystems[0]) : images);
        }
        catch (RpcException)
        {
            return new RuntimeDisks(now, null, null); // the runtime is away; its absence is told elsewhere
        }
    }

    private static DateTimeOffset ProcessStart()
    {
        using var self = Process.GetCurrentProcess();
        return new DateTimeOffset(self.StartTime.ToUniversalTime());
    }

    private sealed record RuntimeDisks(DateTimeOffset At, DiskFigures? Images, DiskFigures? Containers);
}
