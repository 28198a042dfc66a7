using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Dns;

/// <summary>dnsPolicy and dnsConfig, read and used in pods.</summary>
public sealed class DnsPolicyTests(ClusterFixture cluster) : DnsTest(cluster)
{
    [Fact]
    public async Task Cluster_first_asks_the_cluster_and_searches_its_domains_before_the_nodes()
    {
        await RunAsync("cluster-first", "dnsConfig: {searches: [more.example], options: [{name: ndots, value: \"2\"}, {name: edns0}]}");
        var node = await File.ReadAllTextAsync("/etc/resolv.conf");
        var ofNode = node.Split('\n').LastOrDefault(l => l.StartsWith("search ", StringComparison.Ordinal))?[7..].Trim() ?? "";
        var searches = $"{K.Namespace}.svc.cluster.local svc.cluster.local cluster.local {ofNode} more.example".Replace("  ", " ", StringComparison.Ordinal);
        Assert.Equal($"search {searches}\nnameserver {await ServerAsync()}\noptions ndots:2 edns0", await ResolvConfAsync("cluster-first"));
    }

    [Fact]
    public async Task Default_is_the_nodes_own_configuration()
    {
        await RunAsync("default", "dnsPolicy: Default");
        Assert.Equal(NodeServers(), Servers(await ResolvConfAsync("default")));
        Assert.DoesNotContain("cluster.local", await ResolvConfAsync("default"));
    }

    [Fact]
    public async Task None_is_what_the_pod_says_and_nothing_else()
    {
        await RunAsync("none", $"dnsPolicy: None\n  dnsConfig: {{nameservers: [{await ServerAsync()}], searches: [default.svc.cluster.local], options: [{{name: ndots, value: \"1\"}}]}}");
        Assert.Equal($"search default.svc.cluster.local\nnameserver {await ServerAsync()}\noptions ndots:1", await ResolvConfAsync("none"));
        Assert.NotEqual("", await ResolveAsync(K, "none", "kubernetes"));
    }

    [Fact]
    public async Task On_the_hosts_network_only_cluster_first_with_host_net_asks_the_cluster()
    {
        await RunAsync("host-net", "hostNetwork: true\n  dnsPolicy: ClusterFirstWithHostNet");
        await RunAsync("host-default", "hostNetwork: true");
        Assert.Equal([await ServerAsync()], Servers(await ResolvConfAsync("host-net")));
        Assert.NotEqual("", await ResolveAsync(K, "host-net", "kubernetes.default"));
        Assert.Equal(NodeServers(), Servers(await ResolvConfAsync("host-default")));
    }

    private async Task RunAsync(string name, string podMore)
    {
        await K.ApplyAsync(ShellPod(name, "sleep 3600", podMore: podMore));
        await K.ReadyAsync(name);
    }

    private Task<string> ServerAsync() => Cluster.Kubectl.In("kube-system").OkAsync("get service kube-dns -o", "jsonpath={.spec.clusterIP}");

    private async Task<string> ResolvConfAsync(string pod) => (await K.ShAsync(pod, "cat /etc/resolv.conf")).Trim();

    private static IEnumerable<string> NodeServers() => Servers(File.ReadAllText("/etc/resolv.conf"));

    private static IEnumerable<string> Servers(string resolvConf) =>
        resolvConf.Split('\n').Where(l => l.StartsWith("nameserver ", StringComparison.Ordinal)).Select(l => l[11..].Trim()).Take(3);
}
