using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Joining;

/// <summary>A node that joins a control plane without a node of its own, by a bootstrap token and the CSR API.</summary>
public sealed class JoinTests(ClusterFixture cluster)
{
    [Fact]
    public async Task A_kubelet_joins_by_a_bootstrap_kubeconfig_runs_pods_and_stays_a_member()
    {
        Assert.SkipWhen(cluster.CannotRun is not null, cluster.CannotRun ?? "");
        await using var server = await Instance.StartCommandAsync(_ => ["server"]);
        var bootstrap = Path.Combine(server.Root, "bootstrap.kubeconfig");
        await File.WriteAllTextAsync(bootstrap, (await server.PodhostAsync("join-config", "--server", $"https://127.0.0.1:{server.SecurePort}")).Ok());
        await using var node = await Instance.StartCommandAsync(
            i => ["kubelet", "--bootstrap-kubeconfig", bootstrap, "--kubeconfig", Own(i), "--rotate-server-certificates"]);
        await ClusterFixture.LoadImagesAsync(node);
        var k = server.Kubectl;
        await ReadyAsync(k, node);
        Assert.Equal($"system:node:{node.Node} [\"system:nodes\",\"system:authenticated\"]", await WhoAsync(node));

        await k.ApplyAsync(Pod("member", "echo here; sleep 1000"));
        await k.ReadyAsync("member");
        var id = await k.FieldAsync("member", ".status.containerStatuses[0].containerID");

        // The API server believes the kubelet by the certificate that it asked for.
        Assert.Equal("here\n", (await k.ShellAsync("until $K logs member 2>/dev/null; do sleep 0.2; done")).Ok());
        Assert.Equal("done\n", await k.ShAsync("member", "echo done"));
        Assert.Equal(2, await RequestsAsync(k));

        // Its certificates are there: nothing is asked for again, and nobody else's secrets are to be had.
        await node.KillAsync();
        await node.UpAsync();
        await k.ApplyAsync(Pod("later", "sleep 1000"));
        await k.ReadyAsync("later");
        Assert.Equal(id, await k.FieldAsync("member", ".status.containerStatuses[0].containerID"));
        Assert.Equal(2, await RequestsAsync(k));
        var own = k with { Kubeconfig = Own(node) };
        Assert.Contains("Forbidden", (await own.RunAsync("get secrets -A")).Error, StringComparison.Ordinal);
    }

    private static async Task ReadyAsync(Kubectl k, Instance node) =>
        (await k.ShellAsync($"until $K get node {node.Node} 2>/dev/null; do sleep 0.2; done; $K wait node/{node.Node} --for=condition=Ready --timeout=40s")).Ok();

    private static async Task<string> WhoAsync(Instance node) =>
        await (node.Kubectl with { Kubeconfig = Own(node) }).OkAsync("auth whoami -o", "jsonpath={.status.userInfo.username} {.status.userInfo.groups}");

    private static async Task<int> RequestsAsync(Kubectl k)
    {
        var lines = (await k.OkAsync("get csr --no-headers")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, l => Assert.EndsWith("Approved,Issued", l.TrimEnd(), StringComparison.Ordinal));
        return lines.Length;
    }

    private static string Own(Instance node) => Path.Combine(node.Root, "data", "node.kubeconfig");

    private static string Pod(string name, string script) => $$"""
        apiVersion: v1
        kind: Pod
        metadata: {name: {{name}}}
        spec:
          terminationGracePeriodSeconds: 1
          containers:
          - {name: main, image: "busybox:stable", command: [sh, -c, "{{script}}"]}
        """;
}
