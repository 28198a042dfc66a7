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
            ["MemTotal:       2048 kB", "MemFree:         512 kB", "MemAvailable:   1900 kB", "Inactive(file):  512 kB"]);
        Assert.Equal(new NodeUsage(1_660_000_000, 2048 * 1024, 1024 * 1024, 512 * 1024, DateTimeOffset.FromUnixTimeSeconds(1700000000)), usage);
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
}
