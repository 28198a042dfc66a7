using System.Text.Json;
using Podhost.Kubelet.Server.Metrics;

namespace Podhost.Kubelet.Server.Stats;

/// <summary>Writes the Summary of stats/v1alpha1.</summary>
internal sealed class SummaryWriter(Utf8JsonWriter json, string nodeName, DateTimeOffset now)
{
    private readonly StatsJson stats = new(json, now);

    public void Write(NodeFigures node, IReadOnlyList<PodFigures> pods)
    {
        json.WriteStartObject();
        WriteNode(node);
        json.WriteStartArray("pods");
        foreach (var pod in pods)
        {
            WritePod(pod);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteNode(NodeFigures node)
    {
        json.WriteStartObject("node");
        json.WriteString("nodeName", nodeName);
        json.WriteStartArray("systemContainers");
        foreach (var part in node.SystemContainers)
        {
            json.WriteStartObject();
            json.WriteString("name", part.Name);
            json.WriteString("startTime", StatsJson.Time(part.StartedAt));
            stats.Usage(part.Usage, part.NanoCores);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("startTime", StatsJson.Time(node.Usage.BootedAt));
        stats.Usage(OfMachine(node.Usage), node.NanoCores);
        WriteNodeNetwork(node.Interfaces);
        stats.Disk("fs", node.Disk);
        if (node.Images is not null || node.Containers is not null)
        {
            json.WriteStartObject("runtime");
            stats.Disk("imageFs", node.Images);
            stats.Disk("containerFs", node.Containers);
            json.WriteEndObject();
        }

        var (running, most) = NodeUsage.Processes();
        stats.Begin("rlimit");
        json.WriteNumber("maxpid", most);
        json.WriteNumber("curproc", running);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static UsageFigures OfMachine(NodeUsage usage) => new()
    {
        CpuNanoseconds = (ulong)usage.CpuNanoseconds,
        MemoryAvailable = (ulong)usage.MemoryAvailable,
        Memory = (ulong)(usage.MemoryTotal - usage.MemoryFree),
        WorkingSet = (ulong)(usage.MemoryTotal - usage.MemoryAvailable),
        Rss = (ulong)usage.Rss,
        PageFaults = (ulong)usage.PageFaults,
        MajorPageFaults = (ulong)usage.MajorPageFaults,
        Swap = (ulong)(usage.SwapTotal - usage.SwapFree),
        SwapAvailable = (ulong)usage.SwapFree,
        CpuStall = PressureStall.OfMachine("cpu"),
        MemoryStall = PressureStall.OfMachine("memory"),
        IoStall = PressureStall.OfMachine("io"),
    };

    private void WriteNodeNetwork(IReadOnlyList<InterfaceCounters> interfaces)
    {
        stats.Begin("network");

        // As upstream, the node's own interface is told only where it has this name.
        if (interfaces.FirstOrDefault(i => i.Name == "eth0") is { } main)
        {
            WriteInterface(main);
        }
        else
        {
            json.WriteString("name", "");
        }

        json.WriteStartArray("interfaces");
        foreach (var one in interfaces)
        {
            json.WriteStartObject();
            WriteInterface(one);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WritePod(PodFigures pod)
    {
        json.WriteStartObject();
        json.WriteStartObject("podRef");
        json.WriteString("name", pod.Usage.Name);
        json.WriteString("namespace", pod.Usage.Namespace);
        json.WriteString("uid", pod.Usage.Uid);
        json.WriteEndObject();
        if (pod.Usage.Pod?.Status?.StartTime is { } started)
        {
            json.WriteString("startTime", StatsJson.Time(started));
        }

        json.WriteStartArray("containers");
        foreach (var container in pod.Containers)
        {
            WriteContainer(container);
        }

        json.WriteEndArray();
        stats.Usage(pod.Figures, pod.NanoCores);
        WriteNetwork(pod);
        WriteVolumes(pod);
        stats.Disk("ephemeral-storage", pod.EphemeralStorage);
        if (pod.Figures.Processes is { } processes)
        {
            json.WriteStartObject("process_stats");
            json.WriteNumber("process_count", processes);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private void WriteContainer(ContainerFigures container)
    {
        json.WriteStartObject();
        json.WriteString("name", container.Name);
        if (container.StartedAt is { } started)
        {
            json.WriteString("startTime", StatsJson.Time(started));
        }

        stats.Usage(container.Figures, container.NanoCores);
        stats.Disk("rootfs", container.Layer);
        stats.Disk("logs", container.Logs);
        json.WriteEndObject();
    }

    private void WriteVolumes(PodFigures pod)
    {
        if (pod.Disk is not { Volumes.Count: > 0 } disk)
        {
            return;
        }

        json.WriteStartArray("volume");
        foreach (var volume in disk.Volumes)
        {
            json.WriteStartObject();
            stats.DiskFields(volume.Disk, disk.At);
            json.WriteString("name", volume.Name);
            if (volume.Claim is { } claim)
            {
                json.WriteStartObject("pvcRef");
                json.WriteString("name", claim);
                json.WriteString("namespace", pod.Usage.Namespace);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteNetwork(PodFigures pod)
    {
        if (pod.Interfaces.FirstOrDefault(i => i.Name == "eth0") is not { } main)
        {
            return;
        }

        stats.Begin("network");
        WriteInterface(main);
        json.WriteStartArray("interfaces");
        foreach (var one in pod.Interfaces)
        {
            json.WriteStartObject();
            WriteInterface(one);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteInterface(InterfaceCounters one)
    {
        json.WriteString("name", one.Name);
        json.WriteNumber("rxBytes", one.RxBytes);
        json.WriteNumber("rxErrors", one.RxErrors);
        json.WriteNumber("txBytes", one.TxBytes);
        json.WriteNumber("txErrors", one.TxErrors);
    }
}
