using Microsoft.AspNetCore.Http;
using Podhost.Cri.V1;
using Podhost.Kubelet.Probes;
using Podhost.Kubelet.Server.Stats;

namespace Podhost.Kubelet.Server.Metrics;

/// <summary>/metrics, /metrics/resource, /metrics/cadvisor and /metrics/probes under upstream's names.</summary>
internal sealed class MetricsHandler(KubeletServerOptions options, KubeletServerServices services, StatsSource stats, TimeProvider time)
{
    private const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public Task KubeletAsync(HttpContext context)
    {
        var pods = services.Pods.List();
        var writer = new PrometheusWriter();
        writer.Metric("kubelet_node_name", "gauge", "The node's name. The count is always 1.").Sample("kubelet_node_name", 1, null, ("node", options.NodeName));
        writer.Metric("kubelet_running_pods", "gauge", "Number of pods that have a running pod sandbox")
            .Sample("kubelet_running_pods", pods.Count(p => services.Pods.FindSandbox(p.Metadata.Uid) is not null), null);
        writer.Metric("kubelet_running_containers", "gauge", "Number of containers currently running");
        foreach (var state in pods.SelectMany(p => p.Status?.ContainerStatuses ?? []).GroupBy(s => s.State switch { { Running: not null } => "running", { Terminated: not null } => "exited", _ => "created" }))
        {
            writer.Sample("kubelet_running_containers", state.Count(), null, ("container_state", state.Key));
        }

        using var self = System.Diagnostics.Process.GetCurrentProcess();
        writer.Metric("process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.").Sample("process_cpu_seconds_total", self.TotalProcessorTime.TotalSeconds, null);
        writer.Metric("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.").Sample("process_resident_memory_bytes", self.WorkingSet64, null);
        return WriteAsync(context, writer.Raw(services.Metrics?.Invoke() ?? ""));
    }

    public async Task ResourceAsync(HttpContext context)
    {
        var pods = await stats.PodsAsync(context.RequestAborted).ConfigureAwait(false);
        var node = NodeUsage.Read();
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var writer = new PrometheusWriter();
        writer.Metric("container_cpu_usage_seconds_total", "counter", "Cumulative cpu time consumed by the container in core-seconds");
        EachContainer((pod, c, labels) => Sample(writer, "container_cpu_usage_seconds_total", c.Cpu?.UsageCoreNanoSeconds, 1e9, c.Cpu?.Timestamp, labels));
        writer.Metric("container_memory_working_set_bytes", "gauge", "Current working set of the container in bytes");
        EachContainer((pod, c, labels) => Sample(writer, "container_memory_working_set_bytes", c.Memory?.WorkingSetBytes, 1, c.Memory?.Timestamp, labels));
        writer.Metric("container_start_time_seconds", "gauge", "Start time of the container since unix epoch in seconds");
        EachContainer((pod, c, labels) =>
        {
            if (pod.StartedAt(labels[0].Value) is { } started)
            {
                writer.Sample("container_start_time_seconds", new DateTimeOffset(started.ToUniversalTime()).ToUnixTimeMilliseconds() / 1000.0, null, labels);
            }
        });
        writer.Metric("container_swap_usage_bytes", "gauge", "Current amount of the container swap usage in bytes. Reported only on non-windows systems");
        EachContainer((pod, c, labels) => Sample(writer, "container_swap_usage_bytes", c.Swap?.SwapUsageBytes, 1, c.Swap?.Timestamp, labels));
        writer.Metric("node_cpu_usage_seconds_total", "counter", "Cumulative cpu time consumed by the node in core-seconds").Sample("node_cpu_usage_seconds_total", node.CpuNanoseconds / 1e9, now);
        writer.Metric("node_memory_working_set_bytes", "gauge", "Current working set of the node in bytes").Sample("node_memory_working_set_bytes", node.MemoryTotal - node.MemoryAvailable, now);
        writer.Metric("node_swap_usage_bytes", "gauge", "Current swap usage of the node in bytes. Reported only on non-windows systems")
            .Sample("node_swap_usage_bytes", node.SwapTotal - node.SwapFree, now);
        writer.Metric("pod_cpu_usage_seconds_total", "counter", "Cumulative cpu time consumed by the pod in core-seconds");
        foreach (var pod in pods)
        {
            writer.Sample("pod_cpu_usage_seconds_total", pod.CpuNanoseconds / 1e9, now, ("namespace", pod.Namespace), ("pod", pod.Name));
        }

        writer.Metric("pod_memory_working_set_bytes", "gauge", "Current working set of the pod in bytes");
        foreach (var pod in pods)
        {
            writer.Sample("pod_memory_working_set_bytes", pod.WorkingSet, now, ("namespace", pod.Namespace), ("pod", pod.Name));
        }

        writer.Metric("pod_swap_usage_bytes", "gauge", "Current amount of the pod swap usage in bytes. Reported only on non-windows systems");
        foreach (var pod in pods)
        {
            writer.Sample("pod_swap_usage_bytes", pod.Swap, now, ("namespace", pod.Namespace), ("pod", pod.Name));
        }

        writer.Metric("resource_scrape_error", "gauge", "1 if there was an error while getting container metrics, 0 otherwise").Sample("resource_scrape_error", 0, null);
        await WriteAsync(context, writer).ConfigureAwait(false);

        void EachContainer(Action<PodUsage, ContainerStats, (string Name, string Value)[]> write)
        {
            foreach (var pod in pods)
            {
                foreach (var container in pod.Containers)
                {
                    write(pod, container, [("container", container.Attributes.Metadata?.Name ?? ""), ("namespace", pod.Namespace), ("pod", pod.Name)]);
                }
            }
        }
    }

    public async Task CadvisorAsync(HttpContext context)
    {
        if (services.Cadvisor is not { } source)
        {
            throw new KubeletRequestException(501, "/metrics/cadvisor is not served without cgroups\n");
        }

        var pods = await stats.PodsAsync(context.RequestAborted).ConfigureAwait(false);
        var writer = new PrometheusWriter();
        var cadvisor = new CadvisorWriter(writer, new CadvisorSubjects(source, services).Read(pods), time.GetUtcNow());
        cadvisor.Write();
        cadvisor.Machine(source, NodeUsage.Read());
        await WriteAsync(context, writer).ConfigureAwait(false);
    }

    public Task ProbesAsync(HttpContext context)
    {
        var writer = new PrometheusWriter();
        writer.Metric("prober_probe_total", "counter", "Cumulative number of a liveness, readiness or startup probe for a container by result.");
        foreach (var count in services.Probes?.Counts() ?? [])
        {
            Count(writer, count, "successful", count.Successful);
            Count(writer, count, "failed", count.Failed);
            Count(writer, count, "unknown", count.Unknown);
        }

        return WriteAsync(context, writer);
    }

    private static void Count(PrometheusWriter writer, ProbeCount count, string result, long value)
    {
        if (value > 0)
        {
            var pod = count.Target.Pod.Metadata;
            writer.Sample(
                "prober_probe_total", value, null, ("container", count.Target.Container.Name), ("namespace", pod.NamespaceProperty), ("pod", pod.Name), ("pod_uid", pod.Uid),
                ("probe_type", count.Target.Kind.ToString()), ("result", result));
        }
    }

    private static void Sample(PrometheusWriter writer, string name, UInt64Value? value, double divisor, long? nanoseconds, (string Name, string Value)[] labels)
    {
        if (value is not null)
        {
            writer.Sample(name, value.Value / divisor, nanoseconds / 1_000_000, labels);
        }
    }

    private static Task WriteAsync(HttpContext context, PrometheusWriter writer)
    {
        context.Response.ContentType = ContentType;
        return context.Response.WriteAsync(writer.ToString(), context.RequestAborted);
    }
}
