using System.Net.Sockets;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Services;

/// <summary>Services by their cluster IP.</summary>
public sealed class ClusterIPTests(ClusterFixture cluster) : ServiceTest(cluster)
{
    [Fact]
    public async Task A_cluster_IP_leads_to_all_ready_pods_from_pods_from_the_node_and_from_a_pod_behind_it()
    {
        await K.ApplyAsync(WebPod("spread-a", "spread") + "\n" + WebPod("spread-b", "spread", port: 8081) + "\n" + Service("spread", "spread"));
        await ClientAsync();
        await K.ReadyAsync("spread-a");
        await K.ReadyAsync("spread-b");
        var address = await AddressAsync("spread");
        await AnswersAsync(() => FromPodAsync("client", address), "spread-a", "spread-b");
        await AnswersAsync(() => FromHostAsync(address), "spread-a", "spread-b");
        await AnswersAsync(() => FromPodAsync("spread-a", address), "spread-a", "spread-b");

        // A pod keeps its address towards the pods behind the Service.
        Assert.Equal(await K.FieldAsync("client", ".status.podIP"), await FromPodAsync("client", $"{address}/cgi-bin/ip"));
    }

    [Fact]
    public async Task A_pod_leaves_when_its_readiness_fails_and_returns_when_it_is_ready()
    {
        await K.ApplyAsync(WebPod("flip-a", "flip") + "\n" + WebPod("flip-b", "flip") + "\n" + Service("flip", "flip"));
        await K.ReadyAsync("flip-a");
        await K.ReadyAsync("flip-b");
        var address = await AddressAsync("flip");
        await AnswersAsync(() => FromHostAsync(address), "flip-a", "flip-b");
        await K.ShAsync("flip-a", "rm /ready");
        await K.WaitAsync("flip-a", "condition=Ready=false");
        await AnswersAsync(() => FromHostAsync(address), "flip-b");

        // Both objects say which change they follow.
        var since = await K.FieldAsync("flip-a", ".status.conditions[?(@.type==\"Ready\")].lastTransitionTime");
        const string moment = @".metadata.annotations.endpoints\.kubernetes\.io/last-change-trigger-time";
        Assert.Equal(since, await K.OkAsync("get endpointslice -l kubernetes.io/service-name=flip -o", $"jsonpath={{.items[0]{moment}}}"));
        Assert.Equal(since, await K.OkAsync("get endpoints flip -o", $"jsonpath={{{moment}}}"));
        await K.ShAsync("flip-a", "touch /ready");
        await AnswersAsync(() => FromHostAsync(address), "flip-a", "flip-b");
    }

    [Fact]
    public async Task A_service_without_endpoints_rejects_at_once()
    {
        await K.ApplyAsync(Service("nobody", "nobody", "type: NodePort", "{name: t, port: 80}, {name: u, port: 53, protocol: UDP}"));
        await ClientAsync("asks-nobody");
        var address = await AddressAsync("nobody");
        var nodePort = await K.OkAsync("get service nobody -o", "jsonpath={.spec.ports[0].nodePort}");
        var node = await K.FieldAsync("asks-nobody", ".status.hostIP");
        foreach (var url in new[] { address, $"{node}:{nodePort}" })
        {
            Assert.Contains("Connection refused", (await K.RunAsync(["exec", "asks-nobody", "--", "wget", "-q", "-O-", $"http://{url}"], null)).Fails());
            using var client = new TcpClient();
            var failure = await Assert.ThrowsAsync<SocketException>(() => client.ConnectAsync(url.Split(':')[0], url.Contains(':') ? int.Parse(nodePort) : 80));
            Assert.Equal(SocketError.ConnectionRefused, failure.SocketErrorCode);
        }

        // The node's own datagram is refused where it is sent, or by the answer to it.
        using var udp = new UdpClient();
        udp.Connect(address, 53);
        await Assert.ThrowsAsync<SocketException>(async () =>
        {
            await udp.SendAsync("?"u8.ToArray());
            await udp.ReceiveAsync(new CancellationTokenSource(TimeSpan.FromSeconds(10)).Token);
        });

        // So does a port that the Service does not have.
        Assert.Contains("Connection refused", (await K.RunAsync(["exec", "asks-nobody", "--", "wget", "-q", "-O-", $"http://{address}:81"], null)).Fails());
    }

    [Fact]
    public async Task Unready_pods_are_reached_only_where_they_are_published()
    {
        await K.ApplyAsync(
            WebPod("unready", "unready", ready: false) + "\n" + Service("published", "unready", "publishNotReadyAddresses: true") + "\n" + Service("hidden", "unready"));
        await K.WaitAsync("unready", ".status.phase", "Running");
        var (published, hidden) = (await AddressAsync("published"), await AddressAsync("hidden"));
        await AnswersAsync(() => FromHostAsync(published), "unready");
        Assert.Null(await FromHostAsync(hidden));
    }

    [Fact]
    public async Task A_headless_service_has_endpoints_and_no_rules()
    {
        await K.ApplyAsync(WebPod("bodiless", "bodiless") + "\n" + Service("bodiless", "bodiless", "clusterIP: None"));
        await K.ReadyAsync("bodiless");
        var slices = await K.OkAsync("wait endpointslice -l kubernetes.io/service-name=bodiless --timeout=30s", "--for=jsonpath={.endpoints[0].conditions.ready}=true");
        Assert.Contains("condition met", slices);
        var table = (await Shell.RunAsync("nft", ["list", "table", "ip", $"podhost_{Cluster.Bridge}_services"])).Ok();
        Assert.DoesNotContain("/bodiless/", table);
        Assert.Contains("default/kubernetes", table);
    }

    [Fact]
    public async Task The_API_server_is_reached_by_the_service_kubernetes_from_pods_and_from_the_nodes_network()
    {
        const string tools = "volumeMounts: [{name: host, mountPath: /host}]";
        const string volume = "volumes: [{name: host, hostPath: {path: /}}]";
        await K.ApplyAsync(ShellPod("in-pod", "sleep 3600", tools, volume));
        await K.ApplyAsync(ShellPod("on-host", "sleep 3600", tools, volume + "\n  hostNetwork: true"));
        foreach (var pod in new[] { "in-pod", "on-host" })
        {
            await K.ReadyAsync(pod);
            Assert.Contains("gitVersion", await K.ShAsync(pod, "chroot /host curl -sk https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT/version"));
        }
    }
}
