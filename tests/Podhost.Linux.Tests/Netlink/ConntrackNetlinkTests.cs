using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Podhost.Linux.Namespaces;
using Podhost.Linux.Netlink;
using Podhost.Linux.Nftables;

namespace Podhost.Linux.Tests.Netlink;

public class ConntrackNetlinkTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task A_flow_is_listed_with_who_serves_it_and_forgotten(string loopback)
    {
        var address = IPAddress.Parse(loopback);
        var family = NftFamily.Of(address);
        Machine.RequireRoot();
        var (before, after) = await NamespaceThread.RunAsync(() =>
        {
            NamespaceThread.Unshare(NamespaceKinds.Network);
            using (var socket = NetlinkSocket.Open())
            {
                var links = new RouteNetlink(socket);
                links.SetUp(links.FindLink("lo")!.Index);
            }

            // Tracking starts with a rule that needs it.
            Nft($$"""
                table {{family.Name}} t {
                  chain c { type nat hook output priority -100; udp dport 53 dnat to {{family.Endpoint(loopback, 5300)}}; }
                }
                """);
            using var server = new UdpClient(new IPEndPoint(address, 5300));
            using var client = new UdpClient(new IPEndPoint(address, 4000));
            client.Send("?"u8.ToArray(), new IPEndPoint(address, 53));
            var conntrack = new ConntrackNetlink();
            var first = conntrack.List(17, address.AddressFamily);
            conntrack.Delete(first.Single());
            conntrack.Delete(first.Single());
            return (first, conntrack.List(17, address.AddressFamily));
        });
        var flow = Assert.Single(before);
        Assert.Equal(new FlowDirection(address, 4000, address, 53), flow.Original);
        Assert.Equal(new FlowDirection(address, 5300, address, 4000), flow.Reply);
        Assert.Empty(after);
    }

    // A child has the namespaces of the thread that starts it.
    private static void Nft(string script)
    {
        using var nft = Process.Start(new ProcessStartInfo("nft", ["-f", "-"]) { RedirectStandardInput = true })!;
        nft.StandardInput.Write(script);
        nft.StandardInput.Close();
        nft.WaitForExit();
        Assert.Equal(0, nft.ExitCode);
    }
}
