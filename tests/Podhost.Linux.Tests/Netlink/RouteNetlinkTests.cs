using System.Net;
using Podhost.Linux.Mounts;
using Podhost.Linux.Namespaces;
using Podhost.Linux.Native;
using Podhost.Linux.Netlink;

namespace Podhost.Linux.Tests.Netlink;

public class RouteNetlinkTests
{
    [Fact]
    public async Task A_veth_pair_joins_two_namespaces_and_its_far_end_is_configured_from_here()
    {
        Machine.RequireRoot();
        var directory = Directory.CreateTempSubdirectory("podhost-netlink");
        var mounter = new Mounter();
        var pin = Path.Combine(directory.FullName, "net");
        try
        {
            // Both ends live in namespaces of this test's own: the host's interfaces are never touched.
            var far = await NamespaceThread.RunAsync(() =>
            {
                NamespaceThread.Unshare(NamespaceKinds.Network);
                NamespaceThread.Pin(NamespaceKinds.Network, pin, mounter);
                return NetlinkSocket.Open();
            });
            using var near = await NamespaceThread.RunAsync(() =>
            {
                NamespaceThread.Unshare(NamespaceKinds.Network);
                return NetlinkSocket.Open();
            });
            using (far)
            using (var handle = Descriptors.OpenReadOnly(pin))
            {
                var host = new RouteNetlink(near);
                var inside = new RouteNetlink(far);
                host.CreateBridge("br-test", [0x0a, 0x58, 10, 1, 0, 1]);
                var bridge = host.FindLink("br-test")!;
                host.AddAddress(bridge.Index, IPAddress.Parse("10.1.0.1"), 24);
                host.CreateVeth(new VethRequest("veth-test", bridge.Index, "eth0", handle, [0x0a, 0x58, 10, 1, 0, 2], 1400));
                var end = host.FindLink("veth-test")!;
                host.SetHairpin(end.Index);
                var eth0 = inside.FindLink("eth0")!;
                inside.AddAddress(eth0.Index, IPAddress.Parse("10.1.0.2"), 24);
                inside.AddAddress(eth0.Index, IPAddress.Parse("10.1.0.2"), 24);
                inside.SetUp(eth0.Index);
                inside.SetUp(inside.FindLink("lo")!.Index);
                inside.AddDefaultRoute(IPAddress.Parse("10.1.0.1"), eth0.Index);

                Assert.Equal(("bridge", true, "0a:58:0a:01:00:01"), (bridge.Kind, bridge.IsUp, bridge.HardwareAddress));
                Assert.Equal(("veth", bridge.Index), (end.Kind, end.Master));
                Assert.Equal("0a:58:0a:01:00:02", eth0.HardwareAddress);
                Assert.Contains(host.Links(), link => link.Name == "veth-test");
                var routes = await NamespaceThread.RunInAsync(pin, NamespaceKinds.Network, () => File.ReadAllText("/proc/thread-self/net/route"));
                Assert.Contains("eth0\t00000000\t0100010A", routes, StringComparison.Ordinal);
                await RoutesToANetworkComeAndGoAsync(inside, pin);
                host.DeleteLink("veth-test");
                host.DeleteLink("veth-test");
                Assert.Null(inside.FindLink("eth0"));
            }
        }
        finally
        {
            mounter.Unmount(pin);
            directory.Delete(true);
        }
    }

    private static async Task RoutesToANetworkComeAndGoAsync(RouteNetlink inside, string pin)
    {
        Task<string> Table() => NamespaceThread.RunInAsync(pin, NamespaceKinds.Network, () => File.ReadAllText("/proc/thread-self/net/route"));
        var range = IPNetwork.Parse("10.2.0.0/24");
        inside.SetRoute(range, IPAddress.Parse("10.1.0.7"));
        inside.SetRoute(range, IPAddress.Parse("10.1.0.9"));
        Assert.Contains("eth0\t0000020A\t0900010A", await Table(), StringComparison.Ordinal);
        inside.DeleteRoute(range);
        inside.DeleteRoute(range);
        Assert.DoesNotContain("0000020A", await Table(), StringComparison.Ordinal);

        // What others made stays.
        inside.DeleteRoute(IPNetwork.Parse("10.1.0.0/24"));
        Assert.Contains("eth0\t0000010A", await Table(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_message_is_encoded_as_the_kernel_reads_it()
    {
        var bytes = new NetlinkMessage(16, 5).Fixed([1, 2, 3]).Attribute(3, "lo").Nest(18, nest => nest.Attribute(1, 7u)).Finish(9);
        byte[] expected =
        [
            40, 0, 0, 0, 16, 0, 5, 0, 9, 0, 0, 0, 0, 0, 0, 0,
            1, 2, 3, 0,
            7, 0, 3, 0, (byte)'l', (byte)'o', 0, 0,
            12, 0, 18, 0x80, 8, 0, 1, 0, 7, 0, 0, 0,
        ];
        Assert.Equal(expected, bytes);
    }

    [Fact]
    public void Attributes_that_lie_about_their_length_end_the_reading()
    {
        var attributes = NetlinkAttributes.Read([8, 0, 1, 0, 1, 2, 3, 4, 255, 0, 2, 0, 1]);
        Assert.Equal([(ushort)1], attributes.Select(attribute => attribute.Type));
    }
}
