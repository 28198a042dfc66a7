using Podhost.Kubelet.Server.Metrics;
using Podhost.Kubelet.Server.Stats;

namespace Podhost.Kubelet.Tests.Server;

public sealed class NodeUsageTests
{
    [Fact]
    public void Proc_is_read_without_idle_iowait_and_guest()
    {
        var usage = NodeUsage.Parse(
            ["cpu  100 10 50 10000 500 3 2 1 40 5", "cpu0 1 1 1", "btime 1700000000"],
            ["MemTotal:       2048 kB", "MemFree:         512 kB", "MemAvailable:   1900 kB", "Inactive(file):  512 kB", "AnonPages: 7 kB", "SwapTotal: 9 kB", "SwapFree: 8 kB"],
            ["pgfault 12", "pgmajfault 3"]);
        var expected = new NodeUsage(1_660_000_000, 2048 * 1024, 1024 * 1024, 512 * 1024, DateTimeOffset.FromUnixTimeSeconds(1700000000))
        {
            Rss = 7 * 1024, SwapTotal = 9 * 1024, SwapFree = 8 * 1024, PageFaults = 12, MajorPageFaults = 3,
        };
        Assert.Equal(expected, usage);
    }

    [Fact]
    public void Interfaces_are_read_from_the_kernels_table_without_loopback()
    {
        var read = InterfaceCounters.Parse(
        [
            "Inter-|   Receive                                                |  Transmit",
            " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed",
            "    lo: 100 1 0 0 0 0 0 0 100 1 0 0 0 0 0 0",
            "  eth0:  1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
            "  bad: x",
        ]);
        Assert.Equal([new InterfaceCounters("eth0", 1, 2, 3, 4, 9, 10, 11, 12)], read);
    }

    [Fact]
    public void Pressure_is_read_in_nanoseconds_and_none_is_none()
    {
        var stall = PressureStall.Parse("some avg10=1.50 avg60=0.25 avg300=0.00 total=12\nfull avg10=0.50 avg60=0.00 avg300=0.00 total=3\n");
        Assert.Equal(new PressureStall(new StallTimes(12_000, 1.5, 0.25, 0), new StallTimes(3_000, 0.5, 0, 0)), stall);
        Assert.Null(PressureStall.Parse(null));
    }

    [Fact]
    public void A_rate_is_that_since_the_beginning_and_then_that_between_looks()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(DateTimeOffset.UnixEpoch.AddSeconds(100));
        var rates = new UsageRates(time);
        Assert.Equal(10_000_000UL, rates.Of("a", 1_000_000_000, DateTimeOffset.UnixEpoch));
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(200_000_000UL, rates.Of("a", 3_000_000_000, DateTimeOffset.UnixEpoch));

        // Soon after a look the one before it counts: a rate over milliseconds would tell nothing.
        time.Advance(TimeSpan.FromMilliseconds(10));
        Assert.InRange(rates.Of("a", 3_000_000_000, DateTimeOffset.UnixEpoch), 190_000_000UL, 200_000_000UL);
        Assert.Equal(0UL, rates.Of("another", 5, null));
    }

    [Fact]
    public void Devices_and_limits_are_read_in_both_forms_of_the_kernel()
    {
        var read = new DeviceCounters("", "8", "16") { ReadBytes = 1, Reads = 2, WrittenBytes = 3, Writes = 4 };
        Assert.Equal([read], DeviceCounters.ParseV2("8:16 rbytes=1 wbytes=3 rios=2 wios=4 dbytes=0 dios=0\n"));
        Assert.Equal([read], DeviceCounters.ParseV1("8:16 Read 1\n8:16 Write 3\nTotal 4", "8:16 Read 2\n8:16 Write 4\nTotal 6"));
        Assert.Equal(1024UL, OpenFiles.ParseLimit(["Limit  Soft Limit  Hard Limit  Units", "Max open files            1024                 4096                 files"]));
        Assert.Equal(ulong.MaxValue, OpenFiles.ParseLimit(["Max open files            unlimited            unlimited            files"]));
    }
}
