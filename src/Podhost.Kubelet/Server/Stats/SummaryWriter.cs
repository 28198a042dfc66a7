using System.Globalization;
using System.Text.Json;
using Podhost.Cri.V1;

namespace Podhost.Kubelet.Server.Stats;

/// <summary>Writes the Summary of stats/v1alpha1. What is not known is left out, never written as 0.</summary>
internal sealed class SummaryWriter(Utf8JsonWriter json, KubeletServerOptions options, DateTimeOffset now)
{
    public void Write(NodeUsage usage, long nanoCores, IReadOnlyList<PodUsage> pods)
    {
        json.WriteStartObject();
        WriteNode(usage, nanoCores);
        json.WriteStartArray("pods");
        foreach (var pod in pods)
        {
            WritePod(pod);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteNode(NodeUsage usage, long nanoCores)
    {
        json.WriteStartObject("node");
        json.WriteString("nodeName", options.NodeName);
        json.WriteString("startTime", Time(usage.BootedAt));
        json.WriteStartObject("cpu");
        json.WriteString("time", Time(now));
        json.WriteNumber("usageNanoCores", nanoCores);
        json.WriteNumber("usageCoreNanoSeconds", usage.CpuNanoseconds);
        json.WriteEndObject();
        json.WriteStartObject("memory");
        json.WriteString("time", Time(now));
        json.WriteNumber("availableBytes", usage.MemoryAvailable);
        json.WriteNumber("usageBytes", usage.MemoryTotal - usage.MemoryFree);
        json.WriteNumber("workingSetBytes", usage.MemoryTotal - usage.MemoryAvailable);
        json.WriteEndObject();
        var disk = new DriveInfo(options.RootDirectory);
        json.WriteStartObject("fs");
        json.WriteString("time", Time(now));
        json.WriteNumber("availableBytes", disk.AvailableFreeSpace);
        json.WriteNumber("capacityBytes", disk.TotalSize);
        json.WriteNumber("usedBytes", disk.TotalSize - disk.TotalFreeSpace);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WritePod(PodUsage pod)
    {
        json.WriteStartObject();
        json.WriteStartObject("podRef");
        json.WriteString("name", pod.Name);
        json.WriteString("namespace", pod.Namespace);
        json.WriteString("uid", pod.Uid);
        json.WriteEndObject();
        if (pod.Pod?.Status?.StartTime is { } started)
        {
            json.WriteString("startTime", Time(started));
        }

        json.WriteStartArray("containers");
        foreach (var container in pod.Containers)
        {
            WriteContainer(pod, container);
        }

        json.WriteEndArray();
        json.WriteStartObject("cpu");
        json.WriteString("time", Time(now));
        json.WriteNumber("usageNanoCores", pod.CpuNanoCores);
        json.WriteNumber("usageCoreNanoSeconds", pod.CpuNanoseconds);
        json.WriteEndObject();
        json.WriteStartObject("memory");
        json.WriteString("time", Time(now));
        json.WriteNumber("workingSetBytes", pod.WorkingSet);
        json.WriteEndObject();
        WriteNetwork(pod.Sandbox?.Linux?.Network);
        if (pod.Sandbox?.Linux?.Process?.ProcessCount is { } processes)
        {
            json.WriteStartObject("process_stats");
            json.WriteNumber("process_count", processes.Value);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private void WriteContainer(PodUsage pod, ContainerStats container)
    {
        var name = container.Attributes.Metadata?.Name ?? "";
        json.WriteStartObject();
        json.WriteString("name", name);
        if (pod.StartedAt(name) is { } started)
        {
            json.WriteString("startTime", Time(started));
        }

        if (container.Cpu is { } cpu)
        {
            json.WriteStartObject("cpu");
            json.WriteString("time", Time(cpu.Timestamp));
            Number("usageNanoCores", cpu.UsageNanoCores);
            Number("usageCoreNanoSeconds", cpu.UsageCoreNanoSeconds);
            json.WriteEndObject();
        }

        if (container.Memory is { } memory)
        {
            json.WriteStartObject("memory");
            json.WriteString("time", Time(memory.Timestamp));
            Number("availableBytes", memory.AvailableBytes);
            Number("usageBytes", memory.UsageBytes);
            Number("workingSetBytes", memory.WorkingSetBytes);
            Number("rssBytes", memory.RssBytes);
            Number("pageFaults", memory.PageFaults);
            Number("majorPageFaults", memory.MajorPageFaults);
            json.WriteEndObject();
        }

        if (container.WritableLayer is { } layer)
        {
            json.WriteStartObject("rootfs");
            json.WriteString("time", Time(layer.Timestamp));
            Number("usedBytes", layer.UsedBytes);
            Number("inodesUsed", layer.InodesUsed);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private void WriteNetwork(NetworkUsage? network)
    {
        if (network?.DefaultInterface is not { } main)
        {
            return;
        }

        json.WriteStartObject("network");
        json.WriteString("time", Time(network.Timestamp));
        WriteInterface(main);
        json.WriteStartArray("interfaces");
        foreach (var one in network.Interfaces.Prepend(main))
        {
            json.WriteStartObject();
            WriteInterface(one);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteInterface(NetworkInterfaceUsage usage)
    {
        json.WriteString("name", usage.Name);
        Number("rxBytes", usage.RxBytes);
        Number("rxErrors", usage.RxErrors);
        Number("txBytes", usage.TxBytes);
        Number("txErrors", usage.TxErrors);
    }

    private void Number(string name, UInt64Value? value)
    {
        if (value is not null)
        {
            json.WriteNumber(name, value.Value);
        }
    }

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Time(long nanoseconds) => Time(DateTimeOffset.UnixEpoch.AddTicks(nanoseconds / 100));
}
