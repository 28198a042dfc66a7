using System.Diagnostics;

namespace Podhost.Network.Tests.ServiceProxy;

/// <summary>Two pods on one bridge, one behind a Service, in network namespaces of the test's own: with and without br_netfilter.</summary>
public sealed class BridgedTrafficTests
{
    private const string Objects = """
        kind: Service
        metadata: {namespace: ns, name: web}
        spec: {clusterIP: 10.96.0.10, ports: [{port: 80}]}
        ---
        kind: EndpointSlice
        metadata: {namespace: ns, name: web-a, labels: {kubernetes.io/service-name: web}}
        addressType: IPv4
        ports: [{name: "", port: 8080}]
        endpoints: [{addresses: [10.1.0.2], nodeName: n1}]
        """;

    // Prints whom the pod behind the Service sees when its neighbour, then when it itself asks.
    private const string Script = """
        set -e
        mount -t tmpfs tmpfs /run
        echo $SEEN > /proc/sys/net/bridge/bridge-nf-call-iptables
        echo 1 > /proc/sys/net/ipv4/ip_forward
        ip link set lo up
        ip link add br0 type bridge
        ip address add 10.1.0.1/16 dev br0
        ip link set br0 up
        for i in 2 3; do
          ip netns add p$i
          ip link add v$i type veth peer name eth0 netns p$i
          ip link set v$i master br0 up
          bridge link set dev v$i hairpin on
          ip -n p$i address add 10.1.0.$i/16 dev eth0
          ip -n p$i link set lo up
          ip -n p$i link set eth0 up
          ip -n p$i route add default via 10.1.0.1
        done
        printf '%s' "$RULES" | nft -f -
        ip netns exec p2 socat TCP-LISTEN:8080,fork,reuseaddr SYSTEM:'echo $SOCAT_PEERADDR' &
        for n in $(seq 200); do ip netns exec p2 ss -ltn | grep -q 8080 && break; sleep 0.05; done
        for i in 3 2; do ip netns exec p$i socat -u TCP:10.96.0.10:80,connect-timeout=3 -; done
        kill %1; wait %1 || true
        """;

    [Theory]
    [InlineData(true, "10.1.0.3")]
    [InlineData(false, "10.1.0.1")]
    public async Task A_neighbour_on_the_bridge_is_answered_by_the_service(bool seen, string client)
    {
        Assert.SkipUnless(
            Environment.IsPrivilegedProcess && File.Exists("/usr/bin/socat") && File.Exists("/usr/sbin/nft") && Directory.Exists("/proc/sys/net/bridge"),
            "needs root, nft, socat and br_netfilter");
        var rules = ServiceProxy.Objects.Script(ServiceProxy.Objects.Book(Objects, ServiceProxy.Objects.Node with { SeesBridgedTraffic = seen }));
        var start = new ProcessStartInfo("unshare", ["--net", "--mount", "bash", "-c", Script])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["SEEN"] = seen ? "1" : "0", ["RULES"] = rules },
        };
        using var run = Process.Start(start)!;
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var (output, error) = (run.StandardOutput.ReadToEndAsync(stop.Token), run.StandardError.ReadToEndAsync(stop.Token));
        await run.WaitForExitAsync(stop.Token);
        Assert.True(run.ExitCode == 0, await error);
        Assert.Equal([client, "10.1.0.1"], (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }
}
