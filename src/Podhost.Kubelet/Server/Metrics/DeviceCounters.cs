using System.Globalization;
using Podhost.Linux.Cgroups;

namespace Podhost.Kubelet.Server.Metrics;

/// <summary>What a cgroup has read from and written to a block device.</summary>
/// <param name="Device">Its file, such as <c>/dev/sda</c>; empty where nobody knows it.</param>
/// <param name="Major">Number of its driver.</param>
/// <param name="Minor">Its number there.</param>
internal sealed record DeviceCounters(string Device, string Major, string Minor)
{
    public ulong ReadBytes { get; init; }

    public ulong Reads { get; init; }

    public ulong WrittenBytes { get; init; }

    public ulong Writes { get; init; }

    /// <summary>Reads a cgroup; one that used no device has one of no name with nothing.</summary>
    public static IReadOnlyList<DeviceCounters> Of(CgroupTree tree, string path)
    {
        var devices = tree.IsV2
            ? ParseV2(tree.Read("io", path, "io.stat"))
            : ParseV1(tree.Read("blkio", path, "blkio.throttle.io_service_bytes_recursive"), tree.Read("blkio", path, "blkio.throttle.io_serviced_recursive"));
        return devices.Count > 0 ? [.. devices.Select(Named)] : [new DeviceCounters("", "0", "0")];
    }

    /// <summary><c>8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0</c>.</summary>
    internal static List<DeviceCounters> ParseV2(string? text)
    {
        var result = new List<DeviceCounters>();
        foreach (var words in Lines(text).Where(w => w.Length > 1))
        {
            var values = words[1..].Select(w => w.Split('=')).Where(w => w.Length == 2).ToDictionary(w => w[0], w => Number(w[1]), StringComparer.Ordinal);
            result.Add(Numbered(words[0]) with
            {
                ReadBytes = values.GetValueOrDefault("rbytes"), WrittenBytes = values.GetValueOrDefault("wbytes"),
                Reads = values.GetValueOrDefault("rios"), Writes = values.GetValueOrDefault("wios"),
            });
        }

        return result;
    }

    /// <summary><c>8:0 Read 1</c> and <c>8:0 Write 2</c>, of bytes and of operations.</summary>
    internal static List<DeviceCounters> ParseV1(string? bytes, string? operations)
    {
        var amounts = Lines(bytes).Where(w => w.Length == 3).ToDictionary(w => (w[0], w[1]), w => Number(w[2]));
        var counts = Lines(operations).Where(w => w.Length == 3).ToDictionary(w => (w[0], w[1]), w => Number(w[2]));
        return
        [
            .. amounts.Keys.Concat(counts.Keys).Select(k => k.Item1).Distinct(StringComparer.Ordinal).Select(device => Numbered(device) with
            {
                ReadBytes = amounts.GetValueOrDefault((device, "Read")), WrittenBytes = amounts.GetValueOrDefault((device, "Write")),
                Reads = counts.GetValueOrDefault((device, "Read")), Writes = counts.GetValueOrDefault((device, "Write")),
            }),
        ];
    }

    private static DeviceCounters Numbered(string device) => device.Split(':') is [var major, var minor] ? new DeviceCounters("", major, minor) : new DeviceCounters("", device, "0");

    private static DeviceCounters Named(DeviceCounters device)
    {
        try
        {
            var name = File.ReadLines($"/sys/dev/block/{device.Major}:{device.Minor}/uevent").FirstOrDefault(l => l.StartsWith("DEVNAME=", StringComparison.Ordinal));
            return name is null ? device : device with { Device = "/dev/" + name["DEVNAME=".Length..] };
        }
        catch (IOException)
        {
            return device; // not a device of this machine any more
        }
    }

    private static IEnumerable<string[]> Lines(string? text) => (text ?? "").Split('\n').Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    private static ulong Number(string text) => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : 0;
}
