using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Services;

/// <summary>The table outlives podhost, is repaired by it, and goes with a reset; on an instance of its own.</summary>
public sealed class ProxyLifeTests(ClusterFixture cluster)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Services_work_without_podhost_and_a_restart_repairs_their_table()
    {
        Assert.SkipWhen(cluster.CannotRun is not null, cluster.CannotRun ?? "");
        await using var instance = await Instance.StartAsync();
        await ClusterFixture.LoadImagesAsync(instance);
        var table = $"podhost_{instance.Bridge}_services";
        await instance.Kubectl.ApplyAsync(Sample);
        await instance.Kubectl.ReadyAsync("web");
        var address = await instance.Kubectl.OkAsync("get service web -o", "jsonpath={.spec.clusterIP}");
        await ServesAsync(address);
        var before = await ListAsync(table);
        Assert.Contains("expires", before); // the client is remembered

        await instance.KillAsync();
        Assert.Contains("out of a pod", await Shell.PageAsync($"http://{address}"));

        // What somebody adds and takes away while podhost is down is put right, and the client is still remembered.
        await NftAsync($"add chain ip {table} service-0-gone/gone/tcp/80");
        await NftAsync($"add element ip {table} service-ips {{ 198.51.100.99 . tcp . 80 : goto service-0-gone/gone/tcp/80 }}");
        await NftAsync($"delete element ip {table} cluster-ips {{ {address} }}");
        await instance.UpAsync();
        var start = TimeProvider.System.GetTimestamp();
        while (Rules(await ListAsync(table)) != Rules(before))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < Patience, $"before:\n{Rules(before)}\nnow:\n{Rules(await ListAsync(table))}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }

        Assert.Contains("expires", await ListAsync(table));
        await ServesAsync(address);

        // A table that somebody removes altogether comes back at once, and so does one that is broken, with the next change.
        for (var i = 0; i < 3; i++)
        {
            await NftAsync($"delete table ip {table}");
            await ServesAsync(address);
        }

        foreach (var chain in new[] { "services", "filter-input", "filter-forward", "filter-output" })
        {
            await NftAsync($"flush chain ip {table} {chain}");
        }

        await NftAsync($"delete map ip {table} no-endpoint-ips");
        await instance.Kubectl.OkAsync("create service nodeport another --tcp=80");
        await ServesAsync(address);
    }

    private static async Task ServesAsync(string address)
    {
        for (var start = TimeProvider.System.GetTimestamp(); ;)
        {
            var ran = await Shell.RunAsync("curl", ["--silent", "--noproxy", "*", "--max-time", "2", $"http://{address}"]);
            if (ran.Out.Contains("out of a pod", StringComparison.Ordinal))
            {
                return;
            }

            Assert.True(TimeProvider.System.GetElapsedTime(start) < Patience, $"{address} does not serve: {ran}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    private static async Task NftAsync(string command) => (await Shell.RunAsync("nft", [command])).Ok();

    private static async Task<string> ListAsync(string table) => (await Shell.RunAsync("nft", ["list", "table", "ip", table])).Out;

    // The lines in a fixed order, without what the kernel counts down: chains come in the order of their making.
    private static string Rules(string listing) =>
        string.Join('\n', listing.Split('\n').Select(l => System.Text.RegularExpressions.Regex.Replace(l, " expires [^ ,]+", "")).Order(StringComparer.Ordinal));

    private const string Sample = """
        apiVersion: v1
        kind: Pod
        metadata: {name: web, labels: {app: web}}
        spec:
          terminationGracePeriodSeconds: 1
          containers: [{name: main, image: "busybox:stable", command: [httpd, -f, -p, "8080", -h, /www], readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec: {selector: {app: web}, sessionAffinity: ClientIP, ports: [{port: 80, targetPort: 8080}]}
        """;
}
