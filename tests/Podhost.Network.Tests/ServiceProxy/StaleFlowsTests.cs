using System.Net;
using Podhost.Linux.Netlink;
using Podhost.Network.ServiceProxy.Flows;

namespace Podhost.Network.Tests.ServiceProxy;

public sealed class StaleFlowsTests
{
    private static readonly HashSet<IPAddress> Node = [IPAddress.Parse("192.0.2.1")];

    [Theory]
    [InlineData("10.96.0.10", 53, "10.1.0.2", 5300, false)] // an endpoint that serves
    [InlineData("10.96.0.10", 53, "10.1.0.3", 5300, true)] // one that is gone
    [InlineData("10.96.0.10", 53, "10.96.0.10", 53, true)] // sent before there was an endpoint
    [InlineData("10.96.0.10", 54, "10.1.0.3", 5300, false)] // no port of a Service
    [InlineData("192.0.2.1", 30053, "10.1.0.3", 5300, true)] // by a node port
    [InlineData("203.0.113.9", 30053, "203.0.113.9", 30053, false)] // somebody else's port of the same number
    [InlineData("10.96.0.11", 53, "10.1.0.2", 5300, true)] // a Service that is gone
    public void A_flow_is_stale_where_its_server_may_not_serve(string to, int port, string server, int serverPort, bool stale)
    {
        var before = new Dictionary<(string?, int), string> { [("10.96.0.11", 53)] = "10.1.0.2:5300" };
        var now = new Dictionary<(string?, int), string> { [("10.96.0.10", 53)] = "10.1.0.2:5300,10.1.0.9:5300", [(null, 30053)] = "10.1.0.2:5300" };
        var client = IPAddress.Parse("10.1.0.7");
        var flow = new ConnectionFlow(17, new FlowDirection(client, 4000, IPAddress.Parse(to), port), new FlowDirection(IPAddress.Parse(server), serverPort, client, 4000));
        Assert.Equal(stale ? [flow] : [], StaleFlows.Find([flow], StaleFlows.Changed(before, now), Node));
    }

    [Fact]
    public void What_did_not_change_is_not_looked_at()
    {
        var same = new Dictionary<(string?, int), string> { [("10.96.0.10", 53)] = "10.1.0.2:5300" };
        Assert.Empty(StaleFlows.Changed(same, new Dictionary<(string?, int), string>(same)));
    }
}
