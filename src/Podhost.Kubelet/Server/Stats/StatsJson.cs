using System.Globalization;
using System.Text.Json;

namespace Podhost.Kubelet.Server.Stats;

/// <summary>The parts that nodes, pods and containers of a Summary share. What is not known is left out, never written as 0.</summary>
internal sealed class StatsJson(Utf8JsonWriter json, DateTimeOffset now)
{
    public void Usage(UsageFigures usage, ulong nanoCores)
    {
        Begin("cpu");
        Number("usageNanoCores", usage.NanoCores ?? nanoCores);
        Number("usageCoreNanoSeconds", usage.CpuNanoseconds);
        Stall(usage.CpuStall);
        json.WriteEndObject();
        Begin("memory");
        Number("availableBytes", usage.MemoryAvailable);
        Number("usageBytes", usage.Memory);
        Number("workingSetBytes", usage.WorkingSet);
        Number("rssBytes", usage.Rss);
        Number("pageFaults", usage.PageFaults);
        Number("majorPageFaults", usage.MajorPageFaults);
        Stall(usage.MemoryStall);
        json.WriteEndObject();
        if (usage.IoStall is not null)
        {
            Begin("io");
            Stall(usage.IoStall);
            json.WriteEndObject();
        }

        if (usage.Swap is not null)
        {
            Begin("swap");
            Number("swapAvailableBytes", usage.SwapAvailable);
            Number("swapUsageBytes", usage.Swap);
            json.WriteEndObject();
        }
    }

    public void Disk(string name, DiskFigures? disk, DateTimeOffset? at = null)
    {
        if (disk is { } known)
        {
            json.WriteStartObject(name);
            DiskFields(known, at);
            json.WriteEndObject();
        }
    }

    public void DiskFields(DiskFigures disk, DateTimeOffset? at = null)
    {
        json.WriteString("time", Time(at ?? now));
        json.WriteNumber("availableBytes", disk.System.AvailableBytes);
        json.WriteNumber("capacityBytes", disk.System.TotalBytes);
        json.WriteNumber("usedBytes", disk.UsedBytes);
        if (disk.System.Inodes > 0)
        {
            json.WriteNumber("inodesFree", disk.System.InodesFree);
            json.WriteNumber("inodes", disk.System.Inodes);
        }

        Number("inodesUsed", (ulong?)disk.InodesUsed);
    }

    /// <summary>An object with its time.</summary>
    public void Begin(string name)
    {
        json.WriteStartObject(name);
        json.WriteString("time", Time(now));
    }

    public void Number(string name, ulong? value)
    {
        if (value is { } known)
        {
            json.WriteNumber(name, known);
        }
    }

    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private void Stall(PressureStall? stall)
    {
        if (stall is null)
        {
            return;
        }

        json.WriteStartObject("psi");
        foreach (var (name, times) in new[] { ("full", stall.Full), ("some", stall.Some) })
        {
            json.WriteStartObject(name);
            json.WriteNumber("total", times.TotalNanoseconds);
            json.WriteNumber("avg10", times.Average10);
            json.WriteNumber("avg60", times.Average60);
            json.WriteNumber("avg300", times.Average300);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }
}
