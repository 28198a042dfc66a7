using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Services;

/// <summary>Services from outside the cluster: a client in a network namespace of the test's own.</summary>
public sealed class NodePortTests(ClusterFixture cluster) : ServiceTest(cluster)
{
    [Fact]
    public async Task A_node_port_and_an_external_IP_are_reached_from_the_node_from_pods_and_from_outside()
    {
        await using var outside = await Outside.CreateAsync(Cluster, 1);
        await K.ApplyAsync(WebPod("front", "front") + "\n" + Service("front", "front", $"type: NodePort\n  externalIPs: [{Unused(7)}]"));
        await ClientAsync();
        await K.ReadyAsync("front");
        var node = await K.FieldAsync("front", ".status.hostIP");
        var port = await K.OkAsync("get service front -o", "jsonpath={.spec.ports[0].nodePort}");
        Assert.InRange(int.Parse(port), 30000, 32767);
        foreach (var url in new[] { $"{node}:{port}", $"127.0.0.1:{port}", Unused(7) })
        {
            await AnswersAsync(() => FromHostAsync(url), "front");
        }

        foreach (var url in new[] { $"{node}:{port}", Unused(7) })
        {
            await AnswersAsync(() => FromPodAsync("client", url), "front");
            await AnswersAsync(() => FromPodAsync("front", url), "front");
            await AnswersAsync(() => outside.GetAsync(url), "front");
        }

        // The answer must come back by this node, so the pod sees the node.
        Assert.NotEqual(outside.Address, await outside.GetAsync($"{node}:{port}/cgi-bin/ip"));
    }

    [Fact]
    public async Task With_external_policy_local_a_pod_sees_the_client_and_other_nodes_pods_get_nothing()
    {
        await using var outside = await Outside.CreateAsync(Cluster, 2);
        await K.ApplyAsync(WebPod("local", "local") + "\n" + Service("local", "local", "type: NodePort\n  externalTrafficPolicy: Local"));
        await K.ApplyAsync(Elsewhere("elsewhere", $"type: NodePort\n  externalTrafficPolicy: Local\n  externalIPs: [{Unused(8)}]"));
        await K.ReadyAsync("local");
        var (node, pod) = (await K.FieldAsync("local", ".status.hostIP"), await K.FieldAsync("local", ".status.podIP"));
        var port = await K.OkAsync("get service local -o", "jsonpath={.spec.ports[0].nodePort}");
        await AnswersAsync(() => outside.GetAsync($"{node}:{port}/cgi-bin/ip"), outside.Address);
        await AnswersAsync(() => FromHostAsync($"{node}:{port}"), "local");

        // The same pod as an endpoint that is said to be on another node: outside is kept out, the node itself is not.
        await K.ApplyAsync(ElsewhereSlice("elsewhere", pod));
        var other = await K.OkAsync("get service elsewhere -o", "jsonpath={.spec.ports[0].nodePort}");
        await AnswersAsync(() => FromHostAsync($"{node}:{other}"), "local");
        await AnswersAsync(() => FromHostAsync(Unused(8)), "local");
        Assert.Null(await outside.GetAsync($"{node}:{other}"));
        Assert.Null(await outside.GetAsync(Unused(8)));
    }

    [Fact]
    public async Task With_internal_policy_local_pods_of_other_nodes_get_nothing()
    {
        await K.ApplyAsync(WebPod("inner", "inner") + "\n" + Service("inner", "inner", "internalTrafficPolicy: Local"));
        await K.ApplyAsync(Elsewhere("inner-elsewhere", "internalTrafficPolicy: Local") + "\n" + Elsewhere("inner-anywhere", ""));
        await ClientAsync("inner-client");
        await K.ReadyAsync("inner");
        var (here, there, anywhere) = (await AddressAsync("inner"), await AddressAsync("inner-elsewhere"), await AddressAsync("inner-anywhere"));
        await AnswersAsync(() => FromPodAsync("inner-client", here), "inner");
        var pod = await K.FieldAsync("inner", ".status.podIP");
        await K.ApplyAsync(ElsewhereSlice("inner-elsewhere", pod) + "\n" + ElsewhereSlice("inner-anywhere", pod));
        await AnswersAsync(() => FromPodAsync("inner-client", anywhere), "inner");
        Assert.NotEqual(0, (await K.RunAsync(["exec", "inner-client", "--", "timeout", "1", "wget", "-q", "-O-", $"http://{there}"], null)).Code);
    }

    [Fact]
    public async Task A_load_balancers_address_is_served_to_the_given_ranges_only()
    {
        await using var admitted = await Outside.CreateAsync(Cluster, 3);
        await using var stranger = await Outside.CreateAsync(Cluster, 4);
        await K.ApplyAsync(WebPod("balanced", "balanced") + "\n" + Service("balanced", "balanced", $"type: LoadBalancer\n  loadBalancerSourceRanges: [{admitted.Address}/32]"));
        await K.ReadyAsync("balanced");
        await K.OkAsync("patch service balanced --subresource=status --type=merge -p", $$$$"""{"status":{"loadBalancer":{"ingress":[{"ip":"{{{{Unused(9)}}}}"}]}}}""");
        await AnswersAsync(() => admitted.GetAsync(Unused(9)), "balanced");
        Assert.Null(await stranger.GetAsync(Unused(9)));
    }

    private static string Elsewhere(string name, string more) => $$"""
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: {{name}}}
        spec:
          ports: [{port: 80}]
          {{more}}
        """;

    private static string ElsewhereSlice(string name, string pod) => $$$"""
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: {{{name}}}, labels: {kubernetes.io/service-name: {{{name}}}}}
        addressType: IPv4
        ports: [{port: 8080, name: ""}]
        endpoints: [{addresses: ["{{{pod}}}"], nodeName: another}]
        """;
}
