using System.Net;
using Podhost.Cri.V1;
using Podhost.Runtime.Tests.Containers;

namespace Podhost.Runtime.Tests.Network;

/// <summary>Pods with addresses of both families, on the built-in bridge.</summary>
public sealed class DualStackTests
{
    private const int Port = 18089;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_pod_has_an_address_of_each_family_and_is_reached_by_both()
    {
        Assert.SkipUnless(File.Exists("/proc/net/if_inet6"), "needs IPv6");
        var six = IPNetwork.Parse($"fd00:{Environment.ProcessId % 10000}:85::/64");
        await using var node = await RuntimeNode.StartAsync(options => options with { PodCidrs = [.. options.PodCidrs, six] });
        var sandbox = await node.RunSandboxAsync(config => config.PortMappings.Add(new PortMapping { HostPort = Port, ContainerPort = 8080 }));
        var server = await node.RunAsync(sandbox, "echo hello > /tmp/index.html; exec httpd -f -p [::]:8080 -h /tmp");
        var other = await node.RunSandboxAsync();
        var client = await node.RunAsync(other, "sleep 1000");
        var addresses = (await node.SandboxStatusAsync(sandbox)).Network;
        var address = Assert.Single(addresses.AdditionalIps).Ip;
        Assert.True(six.Contains(IPAddress.Parse(address)) && node.Options.PodCidrs[0].Contains(IPAddress.Parse(addresses.Ip)));

        // From its neighbour, from itself by the node's address, and from the node: nothing waits for the detection of duplicates.
        Assert.Equal("hello\n", await node.ExecAsync(client, Fetch($"[{address}]:8080")));
        Assert.Equal("hello\n", await node.ExecAsync(client, Fetch($"{addresses.Ip}:8080")));
        var gateway = six.BaseAddress.ToString() + "1";
        Assert.Equal("hello\n", await node.ExecAsync(server, Fetch($"[{gateway}]:{Port}")));
        Assert.Equal("hello\n", await node.ExecAsync(client, Fetch($"[{gateway}]:{Port}")));
        using var http = new HttpClient();
        Assert.Equal("hello\n", await http.GetStringAsync($"http://[{address}]:8080/", Cancel));
        Assert.Equal("hello\n", await http.GetStringAsync($"http://[{gateway}]:{Port}/", Cancel));
        Assert.Equal("hello\n", await http.GetStringAsync($"http://127.0.0.1:{Port}/", Cancel));
        Assert.Equal("0 0\n", await node.ExecAsync(client, "echo $(cat /proc/sys/net/ipv6/conf/eth0/accept_ra /proc/sys/net/ipv6/conf/eth0/accept_dad)"));

        // A restart keeps what is given, and gives something else.
        await node.RestartAsync();
        Assert.Equal(address, Assert.Single((await node.SandboxStatusAsync(sandbox)).Network.AdditionalIps).Ip);
        Assert.Equal("hello\n", await http.GetStringAsync($"http://[{gateway}]:{Port}/", Cancel));
        var third = (await node.SandboxStatusAsync(await node.RunSandboxAsync())).Network;
        Assert.DoesNotContain(Assert.Single(third.AdditionalIps).Ip, (string[])[address, .. (await node.SandboxStatusAsync(other)).Network.AdditionalIps.Select(ip => ip.Ip)]);
    }

    [Fact]
    public async Task Pods_may_have_addresses_of_IPv6_alone()
    {
        Assert.SkipUnless(File.Exists("/proc/net/if_inet6"), "needs IPv6");
        var six = IPNetwork.Parse($"fd00:{Environment.ProcessId % 10000}:86::/112");
        await using var node = await RuntimeNode.StartAsync(options => options with { PodCidrs = [six] });
        var sandbox = await node.RunSandboxAsync();
        await node.RunAsync(sandbox, "echo hello > /tmp/index.html; exec httpd -f -p [::]:8080 -h /tmp");
        var client = await node.RunAsync(await node.RunSandboxAsync(), "sleep 1000");
        var addresses = (await node.SandboxStatusAsync(sandbox)).Network;
        Assert.Empty(addresses.AdditionalIps);
        Assert.True(six.Contains(IPAddress.Parse(addresses.Ip)));
        Assert.Equal("hello\n", await node.ExecAsync(client, Fetch($"[{addresses.Ip}]:8080")));
    }

    // The server may not listen yet.
    private static string Fetch(string where) => $"until wget -q -O - http://{where}/; do sleep 0.05; done";
}
