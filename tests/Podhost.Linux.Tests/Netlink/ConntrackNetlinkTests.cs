using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Podhost.Linux.Namespaces;
using Podhost.Linux.Netlink;

namespace Podhost.Linux.Tests.Netlink;

public class ConntrackNetlinkTests
{
    [Fact]
    public async Task A_flow_is_listed_with_who_serves_it_and_forgotten()
    {
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
            Nft("""
                table ip t {
                  chain c { type nat hook output priority -100; ip daddr 127.0.0.9 udp dport 53 dnat to 127.0.0.1:5300; }
                }
                """);
            using var server = new UdpClient(new IPEndPoint(IPAddress.Loopback, 5300));
            using var client = new UdpClient(new IPEndPoint(IPAddress.Loopback, 4000));
            client.Send("?"u8.ToArray(), new IPEndPoint(IPAddress.Parse("127.0.0.9"), 53));
            var conntrack = new ConntrackNetlink();
            var first = conntrack.List(17);
            conntrack.Delete(first.Single());
            conntrack.Delete(first.Single());
            return (first, conntrack.List(17));
        });
        var flow = Assert.Single(before);
        Assert.Equal(new FlowDirection(IPAddress.Loopback, 4000, IPAddress.Parse("127.0.0.9"), 53), flow.Original);
        Assert.Equal(new FlowDirection(IPAddress.Loopback, 5300, IPAddress.Loopback, 4000), flow.Reply);
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
