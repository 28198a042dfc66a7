using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Joining;

/// <summary>Two nodes of one control plane, each with a range of its own, and their pods' way to each other.</summary>
public sealed class TwoNodesTests(ClusterFixture cluster)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    [Fact]
    public async Task Pods_of_two_nodes_reach_each_other_by_their_own_addresses()
    {
        Assert.SkipWhen(cluster.CannotRun is not null, cluster.CannotRun ?? "");
        Assert.SkipWhen(Instance.OnContainerd, "another runtime has a network of its own");
        await using var server = await Instance.StartCommandAsync(
            i => ["up", "--node-ip", TwoNetworks.Address(i.Number, 1), "--allocate-node-cidrs", "--node-cidr-mask-size", "26"]);
        await using var networks = await TwoNetworks.CreateAsync(server.Number);
        var join = Path.Combine(server.Root, "join.kubeconfig");
        var url = $"https://{TwoNetworks.Address(server.Number, 1)}:{server.SecurePort}";
        await File.WriteAllTextAsync(join, (await server.PodhostAsync("join-config", "--server", url)).Ok());
        var k = server.Kubectl;
        await k.OkAsync("create clusterrolebinding podhost-service-proxy --clusterrole=system:node-proxier --group=system:nodes");
        await using var a = await StartAsync(server, networks, join, 2);
        await using (var b = await StartAsync(server, networks, join, 3))
        {
            var ranges = (await k.OkAsync($"get node {a.Node} {b.Node} -o", "jsonpath={.items[*].spec.podCIDR}")).Split(' ');
            Assert.Equal(3, ranges.Append(await k.OkAsync($"get node {server.Node} -o", "jsonpath={.spec.podCIDR}")).Distinct().Count());
            await k.ApplyAsync(Pod("a", a.Node) + Pod("b", b.Node));
            await k.ReadyAsync("a");
            await k.ReadyAsync("b");
            var (ipA, ipB) = (await k.FieldAsync("a", ".status.podIP"), await k.FieldAsync("b", ".status.podIP"));
            Assert.True(System.Net.IPNetwork.Parse(ranges[0]).Contains(System.Net.IPAddress.Parse(ipA)), $"{ipA} {ranges[0]}");
            Assert.True(System.Net.IPNetwork.Parse(ranges[1]).Contains(System.Net.IPAddress.Parse(ipB)), $"{ipB} {ranges[1]}");

            // The other side sees the pod, not its node.
            Assert.Equal(ipA, await AskAsync(k, "a", ipB));
            Assert.Equal(ipB, await AskAsync(k, "b", ipA));
            Assert.Contains($"{ranges[1]} via {TwoNetworks.Address(server.Number, 3)}", await networks.RoutesAsync(2), StringComparison.Ordinal);

            // The cluster's DNS and Services are served on each node; the names are answered by the control plane's.
            await k.OkAsync("expose pod b --name web --port 80 --target-port 8080");
            Assert.Equal(ipA, await AskAsync(k, "a", "web", 80));
            Assert.Contains($"nameserver {Dns(server)}", await k.ShAsync("a", "cat /etc/resolv.conf"), StringComparison.Ordinal);

            // A restart keeps range and routes.
            await a.KillAsync();
            await a.UpAsync();
            Assert.Equal(ipB, await AskAsync(k, "b", ipA));
            await k.OkAsync("delete pod b --wait=true");
        }

        // A node that is gone has no routes any more; neither has the one that is reset.
        Assert.DoesNotContain("via " + TwoNetworks.Address(server.Number, 2), await networks.RoutesAsync(3), StringComparison.Ordinal);
        var gone = "via " + TwoNetworks.Address(server.Number, 3);
        Assert.Contains(gone, await networks.RoutesAsync(2), StringComparison.Ordinal);
        await k.OkAsync("delete node --field-selector", $"metadata.name!={a.Node},metadata.name!={server.Node}");
        (await k.ShellAsync($"while nsenter --net={networks.Namespace(2)} ip route | grep '{gone}'; do sleep 0.1; done", Patience)).Ok();
    }

    private static async Task<Instance> StartAsync(Instance server, TwoNetworks networks, string join, int host)
    {
        var node = await Instance.StartInAsync(
            networks.Namespace(host),
            i => ["kubelet", "--bootstrap-kubeconfig", join, "--kubeconfig", Path.Combine(i.Root, "data", "node.kubeconfig"), "--rotate-server-certificates", "--pod-cidr-from-node",
                "--service-cidr", server.ServiceCidr],
            "--node-ip",
            TwoNetworks.Address(server.Number, host),
            "--service-proxy=true",
            "--cluster-dns",
            Dns(server));
        await ClusterFixture.LoadImagesAsync(node);
        await server.Kubectl.OkAsync($"wait node/{node.Node} --for=condition=Ready --timeout=40s");
        return node;
    }

    private static string Dns(Instance server) => server.ServiceCidr.Replace(".0/24", ".10", StringComparison.Ordinal);

    // A route follows the other node's event, and the kubelet's certificate its request: both may be a moment behind the pod.
    private static async Task<string> AskAsync(Kubectl k, string from, string to, int port = 8080) => (await k.ShellAsync(
        $"until $K exec {from} -- sh -c 'printf \"GET /cgi-bin/from HTTP/1.0\\r\\n\\r\\n\" | nc -w 5 {to} {port} | tail -n 1 | grep [0-9]' 2>/dev/null; do sleep 0.2; done", Patience)).Ok().Trim().Replace("[::ffff:", "", StringComparison.Ordinal).TrimEnd(']');

    private static string Pod(string name, string node) => $$"""
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: {{name}}, labels: {app: {{name}} } }
        spec:
          nodeName: {{node}}
          terminationGracePeriodSeconds: 1
          containers:
          - name: main
            image: busybox:stable
            command: [sh, -c, "mkdir -p /w/cgi-bin && printf '#!/bin/sh\\necho; echo $REMOTE_ADDR\\n' >/w/cgi-bin/from && chmod +x /w/cgi-bin/from && exec httpd -f -p 8080 -h /w"]
            readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}

        """;
}
