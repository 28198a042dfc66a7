using Podhost.Cri.V1;

namespace Podhost.Runtime.Stats;

/// <summary>A metric: name, help, kind, and the labels beyond those that all have.</summary>
internal sealed record MetricName(string Name, string Help, MetricType Type, params string[] More)
{
    private static readonly string[] Common = ["container", "id", "image", "name", "namespace", "pod"];

    /// <summary>In the order of the values.</summary>
    internal string[] LabelKeys => [.. Common, .. More];
}

/// <summary>The metrics of containers and pods, under cAdvisor's names.</summary>
internal static class MetricNames
{
    internal static readonly MetricName CpuUsage = Counter("container_cpu_usage_seconds_total", "Cumulative cpu time consumed in seconds.", "cpu");
    internal static readonly MetricName MemoryUsage = Gauge("container_memory_usage_bytes", "Current memory usage in bytes, including all memory regardless of when it was accessed.");
    internal static readonly MetricName MemoryWorkingSet = Gauge("container_memory_working_set_bytes", "Current working set in bytes.");
    internal static readonly MetricName MemoryRss = Gauge("container_memory_rss", "Size of RSS in bytes.");
    internal static readonly MetricName MemorySwap = Gauge("container_memory_swap", "Container swap usage in bytes.");
    internal static readonly MetricName MemoryFailures = Counter("container_memory_failures_total", "Cumulative count of memory allocation failures.", "failure_type", "scope");
    internal static readonly MetricName SpecMemoryLimit = Gauge("container_spec_memory_limit_bytes", "Memory limit for the container.");
    internal static readonly MetricName SpecCpuShares = Gauge("container_spec_cpu_shares", "CPU share of the container.");
    internal static readonly MetricName SpecCpuQuota = Gauge("container_spec_cpu_quota", "CPU quota of the container.");
    internal static readonly MetricName SpecCpuPeriod = Gauge("container_spec_cpu_period", "CPU period of the container.");
    internal static readonly MetricName FsUsage = Gauge("container_fs_usage_bytes", "Number of bytes that are consumed by the container on this filesystem.", "device");
    internal static readonly MetricName FsInodes = Gauge("container_fs_inodes_total", "Number of Inodes", "device");
    internal static readonly MetricName StartTime = Gauge("container_start_time_seconds", "Start time of the container since unix epoch in seconds.");
    internal static readonly MetricName LastSeen = Gauge("container_last_seen", "Last time a container was seen by the exporter");
    internal static readonly MetricName OomEvents = Counter("container_oom_events_total", "Count of out of memory events observed for the container");
    internal static readonly MetricName Processes = Gauge("container_processes", "Number of processes running inside the container.");
    internal static readonly MetricName NetworkReceiveBytes = Counter("container_network_receive_bytes_total", "Cumulative count of bytes received", "interface");
    internal static readonly MetricName NetworkReceiveErrors = Counter("container_network_receive_errors_total", "Cumulative count of errors encountered while receiving", "interface");
    internal static readonly MetricName NetworkTransmitBytes = Counter("container_network_transmit_bytes_total", "Cumulative count of bytes transmitted", "interface");
    internal static readonly MetricName NetworkTransmitErrors = Counter("container_network_transmit_errors_total", "Cumulative count of errors encountered while transmitting", "interface");

    internal static IReadOnlyList<MetricName> All { get; } =
    [
        CpuUsage, MemoryUsage, MemoryWorkingSet, MemoryRss, MemorySwap, MemoryFailures, SpecMemoryLimit, SpecCpuShares, SpecCpuQuota, SpecCpuPeriod, FsUsage, FsInodes,
        StartTime, LastSeen, OomEvents, Processes, NetworkReceiveBytes, NetworkReceiveErrors, NetworkTransmitBytes, NetworkTransmitErrors,
    ];

    private static MetricName Counter(string name, string help, params string[] more) => new(name, help, MetricType.Counter, more);

    private static MetricName Gauge(string name, string help, params string[] more) => new(name, help, MetricType.Gauge, more);
}
