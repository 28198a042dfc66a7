using Podhost.Cri.V1;
using Podhost.Linux.Cgroups;
using Podhost.Runtime.State;

namespace Podhost.Runtime.Stats;

/// <summary>
/// CRI's metrics: cAdvisor's names and labels (KEP-2371), so that dashboards go on, with the values of the stats calls. Values are whole
/// numbers, as CRI has them: seconds of CPU time are cut.
/// </summary>
internal sealed class MetricsReader(RuntimeContext context, StatsReader stats)
{
    private const ulong NanosecondsPerSecond = 1_000_000_000;

    /// <summary>The metrics that there are.</summary>
    internal static IEnumerable<MetricDescriptor> Descriptors => MetricNames.All.Select(metric =>
    {
        var descriptor = new MetricDescriptor { Name = metric.Name, Help = metric.Help };
        descriptor.LabelKeys.AddRange(metric.LabelKeys);
        return descriptor;
    });

    /// <summary>All metrics of all ready sandboxes and their running containers, read now.</summary>
    internal async Task<List<PodSandboxMetrics>> ReadAsync(CancellationToken cancellationToken)
    {
        var all = new List<PodSandboxMetrics>();
        foreach (var sandbox in context.State.Sandboxes.Where(sandbox => sandbox.State == PodSandboxState.SandboxReady))
        {
            all.Add(await ReadAsync(sandbox, cancellationToken));
        }

        return all;
    }

    private async Task<PodSandboxMetrics> ReadAsync(Sandbox sandbox, CancellationToken cancellationToken)
    {
        var record = sandbox.Record;
        var pod = record.Config.Metadata;
        var usage = await stats.ReadAsync(sandbox, cancellationToken);
        var metrics = new PodSandboxMetrics { PodSandboxId = record.Id };
        string[] labels = ["", record.CgroupParent, "", record.Id, pod.Namespace, pod.Name];
        metrics.Metrics.AddRange(Network(usage.Linux.Network, labels, context.Now));
        foreach (var container in usage.Linux.Containers)
        {
            // Gone meanwhile: no metrics of it are no harm.
            if (context.State.FindContainer(container.Attributes.Id) is { } found)
            {
                metrics.ContainerMetrics.Add(Read(found.Record, container, pod));
            }
        }

        return metrics;
    }

    private ContainerMetrics Read(ContainerRecord record, ContainerStats usage, PodSandboxMetadata pod)
    {
        string[] labels = [record.Config.Metadata.Name, record.CgroupPath, record.ImageRef, record.Id, pod.Namespace, pod.Name];
        var metrics = new ContainerMetrics { ContainerId = record.Id };
        var now = context.Now;
        metrics.Metrics.AddRange(
        [
            .. Cpu(usage.Cpu, labels),
            .. Memory(usage, labels),
            .. Limits(record, labels, now),
            Metric(MetricNames.FsUsage, usage.WritableLayer.Timestamp, usage.WritableLayer.UsedBytes.Value, [.. labels, context.Options.DataDirectory]),
            Metric(MetricNames.FsInodes, usage.WritableLayer.Timestamp, usage.WritableLayer.InodesUsed.Value, [.. labels, context.Options.DataDirectory]),
            Metric(MetricNames.StartTime, now, (ulong)record.StartedAt / NanosecondsPerSecond, labels),
            Metric(MetricNames.LastSeen, now, (ulong)now / NanosecondsPerSecond, labels),
            Metric(MetricNames.OomEvents, now, CgroupUsage.OomKills(context.Cgroups, record.CgroupPath), labels),
            Metric(MetricNames.Processes, now, CgroupUsage.Read(context.Cgroups, record.CgroupPath)?.Processes ?? 0, labels),
        ]);
        return metrics;
    }

    private static IEnumerable<Metric> Cpu(CpuUsage? cpu, string[] labels) =>
        cpu is null ? [] : [Metric(MetricNames.CpuUsage, cpu.Timestamp, cpu.UsageCoreNanoSeconds.Value / NanosecondsPerSecond, [.. labels, "total"])];

    private static IEnumerable<Metric> Memory(ContainerStats usage, string[] labels)
    {
        if (usage.Memory is not { } memory)
        {
            return [];
        }

        return
        [
            Metric(MetricNames.MemoryUsage, memory.Timestamp, memory.UsageBytes.Value, labels),
            Metric(MetricNames.MemoryWorkingSet, memory.Timestamp, memory.WorkingSetBytes.Value, labels),
            Metric(MetricNames.MemoryRss, memory.Timestamp, memory.RssBytes.Value, labels),
            Metric(MetricNames.MemorySwap, memory.Timestamp, usage.Swap?.SwapUsageBytes?.Value ?? 0, labels),
            Metric(MetricNames.MemoryFailures, memory.Timestamp, memory.PageFaults.Value, [.. labels, "pgfault", "container"]),
            Metric(MetricNames.MemoryFailures, memory.Timestamp, memory.MajorPageFaults.Value, [.. labels, "pgmajfault", "container"]),
        ];
    }

    private static IEnumerable<Metric> Limits(ContainerRecord record, string[] labels, long now)
    {
        var resources = record.Config.Linux?.Resources ?? new LinuxContainerResources();
        yield return Metric(MetricNames.SpecMemoryLimit, now, (ulong)Math.Max(0, resources.MemoryLimitInBytes), labels);
        yield return Metric(MetricNames.SpecCpuShares, now, (ulong)Math.Max(0, resources.CpuShares), labels);
        if (resources.CpuQuota > 0)
        {
            yield return Metric(MetricNames.SpecCpuQuota, now, (ulong)resources.CpuQuota, labels);
            yield return Metric(MetricNames.SpecCpuPeriod, now, (ulong)Math.Max(0, resources.CpuPeriod), labels);
        }
    }

    private static IEnumerable<Metric> Network(NetworkUsage? network, string[] labels, long now)
    {
        if (network?.DefaultInterface is not { } each)
        {
            return [];
        }

        string[] named = [.. labels, each.Name];
        return
        [
            Metric(MetricNames.NetworkReceiveBytes, now, each.RxBytes.Value, named),
            Metric(MetricNames.NetworkReceiveErrors, now, each.RxErrors.Value, named),
            Metric(MetricNames.NetworkTransmitBytes, now, each.TxBytes.Value, named),
            Metric(MetricNames.NetworkTransmitErrors, now, each.TxErrors.Value, named),
        ];
    }

    private static Metric Metric(MetricName metric, long timestamp, ulong value, string[] labels)
    {
        var made = new Metric { Name = metric.Name, Timestamp = timestamp, MetricType = metric.Type, Value = new UInt64Value { Value = value } };
        made.LabelValues.AddRange(labels);
        return made;
    }
}
