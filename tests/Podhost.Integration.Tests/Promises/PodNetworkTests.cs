using System.Net.Sockets;
using System.Text;
using Podhost.Integration.Tests.Instances;
using Podhost.Tests.Shared;

namespace Podhost.Integration.Tests.Promises;

/// <summary>The networking fields of a pod, by what its containers see: the host's namespaces, names, hosts files, host ports.</summary>
public sealed class PodNetworkTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_pod_on_the_hosts_network_has_its_address_name_and_interfaces()
    {
        await RunAsync("host-network", "hostNetwork: true");
        Assert.Equal(await K.FieldAsync("host-network", ".status.hostIP"), await K.FieldAsync("host-network", ".status.podIP"));
        Assert.Equal(Namespace("net"), await NamespaceAsync("host-network", "net"));
        Assert.Equal(Environment.MachineName, await OutAsync("host-network", "hostname"));
        Assert.Contains(Cluster.Bridge, await OutAsync("host-network", "ls /sys/class/net"));
        Assert.Contains("# Kubernetes-managed hosts file (host network).", await OutAsync("host-network", "cat /etc/hosts"));
    }

    [Fact]
    public async Task Host_PID_and_host_IPC_are_the_hosts_and_without_them_the_pod_has_its_own()
    {
        await RunAsync("host-pid", "hostPID: true");
        await RunAsync("host-ipc", "hostIPC: true");
        await RunAsync("own", "");
        Assert.Equal(Namespace("pid"), await NamespaceAsync("host-pid", "pid"));
        Assert.Contains($"{Cluster.ProcessId}", await OutAsync("host-pid", $"ls -d /proc/{Cluster.ProcessId}"));
        Assert.NotEqual("1", await OutAsync("host-pid", "echo $$"));
        Assert.Equal(Namespace("ipc"), await NamespaceAsync("host-ipc", "ipc"));
        foreach (var kind in new[] { "pid", "ipc", "net", "uts" })
        {
            Assert.NotEqual(Namespace(kind), await NamespaceAsync("own", kind));
        }
    }

    [Theory]
    [InlineData("named", "hostname: box", "box", "box")]
    [InlineData("member", "hostname: box\n  subdomain: group", "box", "box.group.NS.svc.cluster.local box")]
    [InlineData("whole", "hostname: box\n  subdomain: group\n  setHostnameAsFQDN: true", "box.group.NS.svc.cluster.local", "box.group.NS.svc.cluster.local box")]
    [InlineData("unnamed", "subdomain: group", "unnamed", "unnamed.group.NS.svc.cluster.local unnamed")]
    [InlineData("over", "hostnameOverride: other.example", "other.example", "other.example")]
    public async Task A_pod_has_the_hostname_that_it_asks_for(string pod, string fields, string hostname, string inHosts)
    {
        await RunAsync(pod, fields);
        var address = await K.FieldAsync(pod, ".status.podIP");
        Assert.Equal(hostname.Replace("NS", K.Namespace, StringComparison.Ordinal), await OutAsync(pod, "hostname"));
        var line = inHosts.Replace("NS", K.Namespace, StringComparison.Ordinal).Replace(' ', '\t');
        Assert.Contains($"{address}\t{line}", (await OutAsync(pod, "cat /etc/hosts")).Split('\n'));
    }

    [Fact]
    public async Task A_hosts_file_is_managed_has_the_aliases_and_is_the_images_where_the_pod_mounts_its_own()
    {
        await RunAsync("aliases", "hostAliases: [{ip: 192.0.2.5, hostnames: [old.example, older.example]}, {ip: 192.0.2.6, hostnames: [new.example]}]");
        var hosts = await OutAsync("aliases", "cat /etc/hosts");
        Assert.StartsWith("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n", hosts);
        Assert.EndsWith("# Entries added by HostAliases.\n192.0.2.5\told.example\tolder.example\n192.0.2.6\tnew.example", hosts);
        Assert.StartsWith("PING older.example (192.0.2.5)", (await K.RunAsync(["exec", "aliases", "--", "ping", "-c", "1", "-w", "1", "-W", "1", "older.example"], null)).Out);

        await K.OkAsync("create configmap own-hosts", "--from-literal=hosts=192.0.2.9 mine.example");
        await K.ApplyAsync(ShellPod("own-hosts", "sleep 1000", "volumeMounts: [{name: h, mountPath: /etc/hosts, subPath: hosts}]", "volumes: [{name: h, configMap: {name: own-hosts}}]"));
        await K.ReadyAsync("own-hosts");
        Assert.Equal("192.0.2.9 mine.example", await OutAsync("own-hosts", "cat /etc/hosts"));
    }

    [Fact]
    public async Task Host_ports_lead_to_the_pod_over_TCP_and_UDP_and_end_with_it()
    {
        Assert.SkipWhen(Shell.Find("socat") is null, "socat is not installed");
        var (tcp, udp) = (Loopback.FreePort(), Loopback.FreePort());
        await K.ApplyAsync(ShellPod(
            "host-port", "httpd -p 8080 -h /www; exec chroot /host socat UDP-RECVFROM:5353,fork EXEC:cat",
            $"ports: [{{containerPort: 8080, hostPort: {tcp}}}, {{containerPort: 5353, hostPort: {udp}, protocol: UDP}}]\n    volumeMounts: [{{name: host, mountPath: /host}}]",
            "volumes: [{name: host, hostPath: {path: /}}]"));
        await K.ReadyAsync("host-port");
        var node = await K.FieldAsync("host-port", ".status.hostIP");
        Assert.Contains("out of a pod", await Shell.PageAsync($"http://{node}:{tcp}/"));
        Assert.Contains("out of a pod", await Shell.PageAsync($"http://127.0.0.1:{tcp}/"));
        Assert.Equal("echo", await EchoAsync(node, udp));

        // A second pod with the port fits nowhere, until the first has gone.
        await K.ApplyAsync(ShellPod("host-port-too", "sleep 1000", $"ports: [{{containerPort: 80, hostPort: {tcp}}}]"));
        await K.EventAsync("host-port-too", "FailedScheduling");
        Assert.Contains("didn't have free ports", await K.FieldAsync("host-port-too", ".status.conditions[0].message"));
        await K.OkAsync("delete pod host-port --timeout=30s");
        await K.ReadyAsync("host-port-too");
        using var client = new HttpClient();
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync($"http://{node}:{tcp}/"));
    }

    private async Task RunAsync(string name, string podMore)
    {
        await K.ApplyAsync(ShellPod(name, "sleep 1000", podMore: podMore));
        await K.ReadyAsync(name);
    }

    private async Task<string> OutAsync(string pod, string command) => (await K.ShAsync(pod, command)).TrimEnd('\n');

    private Task<string> NamespaceAsync(string pod, string kind) => OutAsync(pod, $"readlink /proc/self/ns/{kind}");

    private static string Namespace(string kind) => new FileInfo($"/proc/self/ns/{kind}").LinkTarget!;

    private static async Task<string> EchoAsync(string host, int port)
    {
        using var client = new UdpClient(host, port);
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            // The first datagrams may come before the server listens.
            await client.SendAsync(Encoding.ASCII.GetBytes("echo"), stop.Token);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
            patience.CancelAfter(TimeSpan.FromMilliseconds(500));
            try
            {
                return Encoding.ASCII.GetString((await client.ReceiveAsync(patience.Token)).Buffer);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException && !stop.IsCancellationRequested)
            {
            }
        }
    }
}
