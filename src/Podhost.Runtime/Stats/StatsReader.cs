using Podhost.Cri.V1;
using Podhost.Linux.Cgroups;
using Podhost.Runtime.State;

namespace Podhost.Runtime.Stats;

/// <summary>What containers and sandboxes use, read from cgroups and interfaces now.</summary>
internal sealed class StatsReader(RuntimeContext context)
{
    internal async Task<ContainerStats> ReadAsync(State.Container container, CancellationToken cancellationToken)
    {
        var record = container.Record;
        var now = context.Now;
        var layer = await context.Rootfs.GetUsageAsync(record.Id, cancellationToken);
        var attributes = new ContainerAttributes { Id = record.Id, Metadata = record.Config.Metadata };
        attributes.Labels.Add(record.Config.Labels);
        attributes.Annotations.Add(record.Config.Annotations);
        var stats = new ContainerStats
        {
            Attributes = attributes,
            WritableLayer = new FilesystemUsage
            {
                Timestamp = now,
                FsId = new FilesystemIdentifier { Mountpoint = context.Options.DataDirectory },
                UsedBytes = Value((ulong)layer.Bytes),
                InodesUsed = Value((ulong)layer.Inodes),
            },
        };
        if (CgroupUsage.Read(context.Cgroups, record.CgroupPath) is { } usage)
        {
            stats.Cpu = Cpu(usage, now);
            stats.Memory = Memory(usage, now);
            stats.Swap = new SwapUsage { Timestamp = now, SwapUsageBytes = Value(usage.SwapBytes) };
        }

        return stats;
    }

    internal async Task<PodSandboxStats> ReadAsync(Sandbox sandbox, CancellationToken cancellationToken)
    {
        var record = sandbox.Record;
        var now = context.Now;
        var attributes = new PodSandboxAttributes { Id = record.Id, Metadata = record.Config.Metadata };
        attributes.Labels.Add(record.Config.Labels);
        attributes.Annotations.Add(record.Config.Annotations);
        var linux = new LinuxPodSandboxStats();
        // The default parent is shared by pods: only a parent of the pod's own tells of the pod.
        var cgroup = record.Config.Linux?.CgroupParent is { Length: > 0 } ? record.CgroupParent : record.CgroupPath;
        if (CgroupUsage.Read(context.Cgroups, cgroup) is { } usage)
        {
            linux.Cpu = Cpu(usage, now);
            linux.Memory = Memory(usage, now);
            linux.Process = new ProcessUsage { Timestamp = now, ProcessCount = Value(usage.Processes) };
        }

        if (context.Network.Usage(record.Id) is { } network)
        {
            linux.Network = new NetworkUsage { Timestamp = now, DefaultInterface = network };
        }

        foreach (var container in context.State.ContainersOf(record.Id).Where(container => container.State == ContainerState.ContainerRunning))
        {
            linux.Containers.Add(await ReadAsync(container, cancellationToken));
        }

        return new PodSandboxStats { Attributes = attributes, Linux = linux };
    }

    private static CpuUsage Cpu(CgroupUsage usage, long now) => new() { Timestamp = now, UsageCoreNanoSeconds = Value(usage.CpuNanoseconds) };

    private static MemoryUsage Memory(CgroupUsage usage, long now) => new()
    {
        Timestamp = now,
        UsageBytes = Value(usage.MemoryBytes),
        WorkingSetBytes = Value(usage.WorkingSetBytes),
        AvailableBytes = usage.MemoryLimitBytes is { } limit ? Value(limit > usage.WorkingSetBytes ? limit - usage.WorkingSetBytes : 0) : null,
        RssBytes = Value(usage.RssBytes),
        PageFaults = Value(usage.PageFaults),
        MajorPageFaults = Value(usage.MajorPageFaults),
    };

    private static UInt64Value Value(ulong value) => new() { Value = value };
}
