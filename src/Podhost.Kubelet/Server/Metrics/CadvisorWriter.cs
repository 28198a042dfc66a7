using Podhost.Kubelet.Server.Stats;

namespace Podhost.Kubelet.Server.Metrics;

/// <summary>The families of /metrics/cadvisor under cadvisor's names, with its labels.</summary>
internal sealed class CadvisorWriter(PrometheusWriter writer, IReadOnlyList<CadvisorSubject> subjects, DateTimeOffset now)
{
    private readonly long timestamp = now.ToUnixTimeMilliseconds();

    public void Write()
    {
        Cpu();
        Memory();
        Spec();
        Disk();
        Network("receive", "received", "receiving", i => i.RxBytes, i => i.RxPackets, i => i.RxErrors, i => i.RxDropped);
        Network("transmit", "transmitted", "transmitting", i => i.TxBytes, i => i.TxPackets, i => i.TxErrors, i => i.TxDropped);
        Gauge("container_processes", "Number of processes running inside the container.", s => s.Reading.Processes);
        Gauge("container_threads", "Number of threads running inside the container", s => s.Reading.Usage.Processes);
        Gauge("container_threads_max", "Maximum number of threads allowed inside the container, infinity if value is zero", s => s.Reading.ThreadsMax);
        Gauge("container_file_descriptors", "Number of open file descriptors for the container.", s => s.Reading.Descriptors);
        Gauge("container_sockets", "Number of open sockets for the container.", s => s.Reading.Sockets);
        Begin("container_ulimits_soft", "gauge", "Soft ulimit values for the container root process. Unlimited if -1, except priority and nice");
        foreach (var s in subjects.Where(s => s.Reading.OpenFilesLimit is not null))
        {
            Sample("container_ulimits_soft", s, s.Reading.OpenFilesLimit is ulong.MaxValue ? -1 : s.Reading.OpenFilesLimit!.Value, ("ulimit", "max_open_files"));
        }

        Counter("container_oom_events_total", "Count of out of memory events observed for the container", s => s.Reading.OomKills);
        Begin("container_start_time_seconds", "gauge", "Start time of the container since unix epoch in seconds.");
        foreach (var s in subjects.Where(s => s.StartedAt is not null))
        {
            Sample("container_start_time_seconds", s, new DateTimeOffset(s.StartedAt!.Value.ToUniversalTime()).ToUnixTimeSeconds());
        }

        Gauge("container_last_seen", "Last time a container was seen by the exporter", _ => now.ToUnixTimeSeconds());
        Begin("container_scrape_error", "gauge", "1 if there was an error while getting container metrics, 0 otherwise");
        writer.Sample("container_scrape_error", 0, null);
    }

    public void Machine(CadvisorSource source, NodeUsage node)
    {
        (string, string)[] labels = [("boot_id", source.Machine.BootID), ("machine_id", source.Machine.MachineID), ("system_uuid", source.Machine.SystemUUID)];
        Begin("machine_cpu_cores", "gauge", "Number of logical CPU cores.");
        writer.Sample("machine_cpu_cores", Environment.ProcessorCount, timestamp, labels);
        Begin("machine_memory_bytes", "gauge", "Amount of memory installed on the machine.");
        writer.Sample("machine_memory_bytes", node.MemoryTotal, timestamp, labels);
        Begin("machine_scrape_error", "gauge", "1 if there was an error while getting machine metrics, 0 otherwise.");
        writer.Sample("machine_scrape_error", 0, null);
    }

    private void Cpu()
    {
        Begin("container_cpu_usage_seconds_total", "counter", "Cumulative cpu time consumed in seconds.");
        foreach (var s in subjects)
        {
            Sample("container_cpu_usage_seconds_total", s, s.Reading.Usage.CpuNanoseconds / 1e9, ("cpu", "total"));
        }

        Counter("container_cpu_user_seconds_total", "Cumulative user cpu time consumed in seconds.", s => s.Reading.UserSeconds);
        Counter("container_cpu_system_seconds_total", "Cumulative system cpu time consumed in seconds.", s => s.Reading.SystemSeconds);
        Counter("container_cpu_cfs_periods_total", "Number of elapsed enforcement period intervals.", s => s.Reading.Periods, HasQuota);
        Counter("container_cpu_cfs_throttled_periods_total", "Number of throttled period intervals.", s => s.Reading.ThrottledPeriods, HasQuota);
        Counter("container_cpu_cfs_throttled_seconds_total", "Total time duration the container has been throttled.", s => s.Reading.ThrottledSeconds, HasQuota);
    }

    private void Memory()
    {
        Gauge("container_memory_usage_bytes", "Current memory usage in bytes, including all memory regardless of when it was accessed", s => s.Reading.Usage.MemoryBytes);
        Gauge("container_memory_working_set_bytes", "Current working set in bytes.", s => s.Reading.Usage.WorkingSetBytes);
        Gauge("container_memory_rss", "Size of RSS in bytes.", s => s.Reading.Usage.RssBytes);
        Gauge("container_memory_cache", "Number of bytes of page cache memory.", s => s.Reading.Cache);
        Gauge("container_memory_mapped_file", "Size of memory mapped files in bytes.", s => s.Reading.MappedFile);
        Gauge("container_memory_swap", "Container swap usage in bytes.", s => s.Reading.Usage.SwapBytes);
        Gauge("container_memory_max_usage_bytes", "Maximum memory usage recorded in bytes", s => s.Reading.MaxMemory);
        Counter("container_memory_failcnt", "Number of memory usage hits limits", s => s.Reading.Failures);
        const string Faults = "container_memory_failures_total";
        Begin(Faults, "counter", "Cumulative count of memory allocation failures.");
        foreach (var s in subjects)
        {
            Sample(Faults, s, s.Reading.Usage.PageFaults, ("failure_type", "pgfault"), ("scope", "hierarchy"));
            Sample(Faults, s, s.Reading.Usage.MajorPageFaults, ("failure_type", "pgmajfault"), ("scope", "hierarchy"));
        }
    }

    private void Spec()
    {
        Gauge("container_spec_cpu_period", "CPU period of the container.", s => s.Reading.Period);
        Gauge("container_spec_cpu_quota", "CPU quota of the container.", s => s.Reading.Quota, HasQuota);
        Gauge("container_spec_cpu_shares", "CPU share of the container.", s => s.Reading.Shares);
        Gauge("container_spec_memory_limit_bytes", "Memory limit for the container.", s => s.Reading.Usage.MemoryLimitBytes ?? 0);
        Gauge("container_spec_memory_reservation_limit_bytes", "Memory reservation limit for the container.", s => s.Reading.Reservation);
        Gauge("container_spec_memory_swap_limit_bytes", "Memory swap limit for the container.", s => s.Reading.SwapLimit);
    }

    private void Disk()
    {
        Begin("container_fs_usage_bytes", "gauge", "Number of bytes that are consumed by the container on this filesystem.");
        foreach (var s in subjects.Where(s => s.Layer?.UsedBytes is not null))
        {
            Sample("container_fs_usage_bytes", s, s.Layer!.UsedBytes.Value, ("device", s.Layer.FsId?.Mountpoint ?? ""));
        }

        Device("container_fs_reads_bytes_total", "Cumulative count of bytes read", d => d.ReadBytes);
        Device("container_fs_reads_total", "Cumulative count of reads completed", d => d.Reads);
        Device("container_fs_writes_bytes_total", "Cumulative count of bytes written", d => d.WrittenBytes);
        Device("container_fs_writes_total", "Cumulative count of writes completed", d => d.Writes);
        const string Blocks = "container_blkio_device_usage_total";
        Begin(Blocks, "counter", "Blkio Device bytes usage");
        foreach (var s in subjects)
        {
            foreach (var d in s.Reading.Devices)
            {
                Sample(Blocks, s, d.ReadBytes, ("device", d.Device), ("major", d.Major), ("minor", d.Minor), ("operation", "Read"));
                Sample(Blocks, s, d.WrittenBytes, ("device", d.Device), ("major", d.Major), ("minor", d.Minor), ("operation", "Write"));
            }
        }
    }

    private void Device(string name, string help, Func<DeviceCounters, ulong> value)
    {
        Begin(name, "counter", help);
        foreach (var s in subjects)
        {
            foreach (var d in s.Reading.Devices)
            {
                Sample(name, s, value(d), ("device", d.Device));
            }
        }
    }

    private void Network(
        string direction, string done, string doing, Func<InterfaceCounters, long> bytes, Func<InterfaceCounters, long> packets, Func<InterfaceCounters, long> errors,
        Func<InterfaceCounters, long> dropped)
    {
        Family("bytes", $"Cumulative count of bytes {done}", bytes);
        Family("errors", $"Cumulative count of errors encountered while {doing}", errors);
        Family("packets_dropped", $"Cumulative count of packets dropped while {doing}", dropped);
        Family("packets", $"Cumulative count of packets {done}", packets);

        void Family(string what, string help, Func<InterfaceCounters, long> value)
        {
            var name = $"container_network_{direction}_{what}_total";
            Begin(name, "counter", help);
            foreach (var s in subjects)
            {
                foreach (var one in s.Interfaces)
                {
                    Sample(name, s, value(one), ("interface", one.Name));
                }
            }
        }
    }

    private static bool HasQuota(CadvisorSubject subject) => subject.Reading.Quota > 0;

    private void Gauge(string name, string help, Func<CadvisorSubject, double> value, Func<CadvisorSubject, bool>? where = null) => All(name, "gauge", help, value, where);

    private void Counter(string name, string help, Func<CadvisorSubject, double> value, Func<CadvisorSubject, bool>? where = null) => All(name, "counter", help, value, where);

    private void All(string name, string type, string help, Func<CadvisorSubject, double> value, Func<CadvisorSubject, bool>? where)
    {
        Begin(name, type, help);
        foreach (var s in subjects)
        {
            if (where?.Invoke(s) != false)
            {
                Sample(name, s, value(s));
            }
        }
    }

    private void Begin(string name, string type, string help) => writer.Metric(name, type, help);

    /// <summary>Labels in alphabetical order, as the client library of Prometheus writes them.</summary>
    private void Sample(string name, CadvisorSubject s, double value, params ReadOnlySpan<(string Name, string Value)> more)
    {
        List<(string Name, string Value)> labels =
        [
            ("container", s.Container), ("id", s.Id), ("image", s.Image), ("name", s.Name), ("namespace", s.Namespace), ("pod", s.Pod), .. more,
        ];
        labels.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        writer.Sample(name, value, timestamp, [.. labels]);
    }
}
