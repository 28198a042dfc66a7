using System.Net;
using System.Net.Sockets;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Services;

/// <summary>Which endpoint gets a request, and what happens to clients when it goes.</summary>
public sealed class EndpointTests(ClusterFixture cluster) : ServiceTest(cluster)
{
    [Fact]
    public async Task With_session_affinity_a_client_stays_with_its_pod_until_that_goes()
    {
        await K.ApplyAsync(
            WebPod("sticky-a", "sticky") + "\n" + WebPod("sticky-b", "sticky") + "\n" + WebPod("sticky-c", "sticky") + "\n"
            + Service("sticky", "sticky", "sessionAffinity: ClientIP\n  sessionAffinityConfig: {clientIP: {timeoutSeconds: 600}}"));
        await K.OkAsync("wait pod -l app=sticky --for=condition=Ready --timeout=40s");
        var address = await AddressAsync("sticky");
        await K.OkAsync("wait endpointslice -l kubernetes.io/service-name=sticky --timeout=30s", "--for=jsonpath={.endpoints[2].conditions.ready}=true");
        await AnswersAsync(async () => await FromHostAsync(address) is null ? null : "served", "served");
        var chosen = await FromHostAsync(address);
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(chosen, await FromHostAsync(address));
        }

        await K.OkAsync($"delete pod {chosen}");
        await AnswersAsync(async () => await FromHostAsync(address) is { } next && next != chosen ? "another" : null, "another");
    }

    [Fact]
    public async Task A_terminating_pod_serves_only_where_no_ready_one_is()
    {
        // Deaf to TERM and serving: what upstream keeps for traffic policy Local and single replicas.
        await K.ApplyAsync(WebPod("last", "last", deaf: true, podMore: "terminationGracePeriodSeconds: 40") + "\n" + Service("last", "last"));
        await K.ReadyAsync("last");
        var address = await AddressAsync("last");
        await AnswersAsync(() => FromHostAsync(address), "last");
        await K.OkAsync("delete pod last --wait=false");
        await K.OkAsync("wait endpointslice -l kubernetes.io/service-name=last --timeout=30s", "--for=jsonpath={.endpoints[0].conditions.terminating}=true");
        Assert.Equal(
            "false true true",
            await K.OkAsync(
                "get endpointslice -l kubernetes.io/service-name=last -o",
                "jsonpath={.items[0].endpoints[0].conditions.ready} {.items[0].endpoints[0].conditions.serving} {.items[0].endpoints[0].conditions.terminating}"));
        await AnswersAsync(() => FromHostAsync(address), "last");
        await K.ApplyAsync(WebPod("next", "last"));
        await K.ReadyAsync("next");
        await AnswersAsync(() => FromHostAsync(address), "next");
        await K.OkAsync("delete pod last --force --grace-period=0");
    }

    [Fact]
    public async Task A_UDP_client_that_keeps_its_port_is_led_to_another_pod_when_its_own_goes()
    {
        Assert.SkipWhen(Shell.Find("socat") is null, "socat is not installed");
        await K.ApplyAsync(UdpPod("udp-a") + "\n" + Service("udp", "udp", ports: "{port: 53, targetPort: 5300, protocol: UDP}"));
        await K.ReadyAsync("udp-a");
        var address = await AddressAsync("udp");
        using var client = new UdpClient(new IPEndPoint(IPAddress.Any, 0));
        await AnswersAsync(() => AskUdpAsync(client, address, 53), "udp-a");
        await K.ApplyAsync(UdpPod("udp-b"));
        await K.ReadyAsync("udp-b");
        await K.OkAsync("delete pod udp-a --grace-period=1");
        await AnswersAsync(() => AskUdpAsync(client, address, 53), "udp-b");
    }

    [Fact]
    public async Task Endpoints_written_by_hand_lead_where_they_say()
    {
        await K.ApplyAsync(WebPod("by-hand", "by-hand"));
        await K.ReadyAsync("by-hand");
        await K.ApplyAsync($$"""
            apiVersion: v1
            kind: Service
            metadata: {name: by-hand}
            spec: {ports: [{port: 80, targetPort: 8080}]}
            ---
            apiVersion: v1
            kind: Endpoints
            metadata: {name: by-hand}
            subsets: [{addresses: [{ip: "{{await K.FieldAsync("by-hand", ".status.podIP")}}"}], ports: [{port: 8080}]}]
            """);
        var address = await AddressAsync("by-hand");
        await AnswersAsync(() => FromHostAsync(address), "by-hand");
        await K.OkAsync("delete endpoints by-hand");
        await AnswersAsync(() => FromHostAsync(address), "(none)");
    }

    [Fact]
    public async Task No_request_is_lost_while_all_pods_are_replaced()
    {
        const string drains = "lifecycle: {preStop: {sleep: {seconds: 2}}}";
        const string patient = "terminationGracePeriodSeconds: 10";
        await K.ApplyAsync(WebPod("old-a", "roll", podMore: patient, containerMore: drains) + "\n" + WebPod("old-b", "roll", podMore: patient, containerMore: drains));
        await K.ApplyAsync(Service("roll", "roll"));
        await ClientAsync("roll-client");
        await K.OkAsync("wait pod -l app=roll --for=condition=Ready --timeout=40s");
        var address = await AddressAsync("roll");
        await AnswersAsync(() => FromPodAsync("roll-client", address), "old-a", "old-b");
        var requests = K.RunAsync(
            ["exec", "roll-client", "--", "sh", "-c", $"i=0; while [ $i -lt 1000 ] || [ ! -f /enough ]; do wget -q -O- http://{address} || echo lost; i=$((i+1)); done"],
            null,
            TimeSpan.FromSeconds(120));
        foreach (var (old, next) in new[] { ("old-a", "new-a"), ("old-b", "new-b") })
        {
            await K.ApplyAsync(WebPod(next, "roll", podMore: patient, containerMore: drains));
            await K.ReadyAsync(next);
            await K.OkAsync($"delete pod {old}");
        }

        await K.ShAsync("roll-client", "touch /enough");
        var answers = (await requests).Ok().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.DoesNotContain("lost", answers);
        Assert.True(answers.Length >= 1000, $"{answers.Length} answers");
        Assert.Superset(new HashSet<string> { "old-b", "new-a" }, answers.ToHashSet());
    }

    private static string UdpPod(string name) => $$$"""
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: {{{name}}}, labels: {app: udp}}
        spec:
          terminationGracePeriodSeconds: 1
          containers:
          - name: main
            image: busybox:stable
            command: [chroot, /host, socat, "UDP-RECVFROM:5300,fork", "SYSTEM:echo {{{name}}}"]
            volumeMounts: [{name: host, mountPath: /host}]
          volumes: [{name: host, hostPath: {path: /}}]
        """;
}
