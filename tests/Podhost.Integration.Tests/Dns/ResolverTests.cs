using System.Net;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Dns;

/// <summary>
/// Names outside the cluster, and the death of podhost: on an instance whose node has a nameserver of the test's own, and no Service data plane: pods
/// reach the server at the same address.
/// </summary>
public sealed class ResolverTests(ClusterFixture cluster) : DnsTest(cluster)
{
    [Fact]
    public async Task Names_outside_are_asked_of_the_nodes_nameserver_and_names_are_back_after_a_crash()
    {
        var id = Environment.ProcessId;
        var loopback = IPAddress.Parse($"127.53.{id / 250 % 250}.{1 + (id % 250)}");
        var directory = Directory.CreateTempSubdirectory("podhost-dns-");
        var resolvConf = Path.Combine(directory.FullName, "resolv.conf");
        var config = Path.Combine(directory.FullName, "config.yaml");
        await File.WriteAllTextAsync(resolvConf, $"search site.example\nnameserver {loopback}\n");
        await File.WriteAllTextAsync(config, $"apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nresolvConf: {resolvConf}\n");
        using var outside = new OutsideServer(loopback);
        try
        {
            await using var instance = await Instance.StartAsync("--config", config, "--service-proxy", "false");
            await ClusterFixture.LoadImagesAsync(instance);
            await CheckAsync(instance, instance.Kubectl);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static async Task CheckAsync(Instance instance, Kubectl k)
    {
        await k.ApplyAsync(ShellPod("asks", "sleep 3600") + "\n---\n" + ShellPod("plain", "sleep 3600", podMore: "dnsPolicy: Default") + """

            ---
            apiVersion: v1
            kind: Service
            metadata: {name: outside}
            spec: {type: ExternalName, externalName: www.example.com}
            """);
        await k.ReadyAsync("asks");
        await k.ReadyAsync("plain");
        Assert.Equal($"{OutsideServer.Answer}", await ResolveAsync(k, "asks", "www.example.com"));
        Assert.Equal($"{OutsideServer.Answer}", await ResolveAsync(k, "asks", "outside"));
        Assert.Contains("cluster.local site.example\n", await k.ShAsync("asks", "cat /etc/resolv.conf"));
        Assert.Matches(@"^search site\.example\nnameserver 127\.53\.", await k.ShAsync("plain", "cat /etc/resolv.conf"));

        // Without podhost there is no DNS, and Services stay; with the next start there is.
        await instance.KillAsync();
        await instance.UpAsync();
        await BecomesAsync(() => ResolveAsync(k, "asks", "kubernetes.default"), a => a.Length > 0);
        await BecomesAsync(() => ResolveAsync(k, "asks", "www.example.com"), a => a == $"{OutsideServer.Answer}");
    }
}
