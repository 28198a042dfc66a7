using System.Net;
using Grpc.Core;
using Podhost.Cri.Suite.Tests.Nodes;
using Podhost.Cri.V1;
using Podhost.Tests.Shared;

namespace Podhost.Cri.Suite.Tests.Suite;

public sealed class EmbeddedNamespaceTests(EmbeddedNode node) : NamespaceTests(node);

public sealed class ContainerdNamespaceTests(ContainerdNode node) : NamespaceTests(node);

/// <summary>Namespaces, network, names.</summary>
public abstract class NamespaceTests(CriNode node) : CriSuite(node)
{
    [Fact]
    public async Task Containers_of_a_pod_share_network_IPC_and_host_name()
    {
        await using var pod = await Node.RunAsync();
        var server = await pod.RunAsync("echo hello > /tmp/index.html; exec httpd -f -p 8080 -h /tmp");
        var client = await pod.RunAsync("sleep 1000");
        await CriNode.UntilAsync(() => pod.TryExecAsync(client, "wget -q -O - http://127.0.0.1:8080/"), response => response.Stdout.ToStringUtf8() == "hello\n");
        using var http = new HttpClient();
        Assert.Equal("hello\n", await http.GetStringAsync($"http://{(await pod.StatusAsync()).Network.Ip}:8080/", Cancel));
        const string show = "for n in net ipc uts; do readlink /proc/self/ns/$n; done; hostname";
        var names = await pod.ExecAsync(server, show);
        Assert.Equal(names, await pod.ExecAsync(client, show));
        Assert.EndsWith(pod.Config.Hostname + "\n", names, StringComparison.Ordinal);
        Assert.NotEqual(await pod.ExecAsync(server, "readlink /proc/self/ns/pid"), await pod.ExecAsync(client, "readlink /proc/self/ns/pid"));
        await pod.ExecAsync(server, "echo shared > /dev/shm/file");
        Assert.Equal("shared\n", await pod.ExecAsync(client, "cat /dev/shm/file"));
    }

    [Fact]
    public async Task A_shared_PID_namespace_has_the_infra_process_first()
    {
        await using var pod = await Node.RunAsync(config => config.Linux.SecurityContext.NamespaceOptions.Pid = NamespaceMode.Pod);
        var first = await pod.RunAsync("exec sleep 9999");
        var second = await pod.RunAsync("sleep 1000");
        var list = await pod.ExecAsync(second, "ps -o pid,args");
        Assert.Contains("sleep 9999", list, StringComparison.Ordinal);
        Assert.Matches("(?m)^ *1 /(catatonit|pause) -P", list);
        Assert.Equal(await pod.ExecAsync(first, "readlink /proc/self/ns/pid"), await pod.ExecAsync(second, "readlink /proc/self/ns/pid"));
    }

    [Fact]
    public async Task A_target_shares_its_PID_namespace()
    {
        await using var pod = await Node.RunAsync();
        var target = await pod.RunAsync("exec sleep 9998");
        var debugger = await pod.RunAsync("sleep 1000", config =>
            config.Linux.SecurityContext.NamespaceOptions = new NamespaceOption { Pid = NamespaceMode.Target, TargetId = target });
        Assert.Contains("sleep 9998", await pod.ExecAsync(debugger, "ps -o args"), StringComparison.Ordinal);
        await Assert.ThrowsAsync<RpcException>(() => pod.CreateAsync("true", config =>
            config.Linux.SecurityContext.NamespaceOptions = new NamespaceOption { Pid = NamespaceMode.Target, TargetId = "never-was" }));
    }

    [Fact]
    public async Task The_nodes_namespaces_are_the_nodes()
    {
        await using var pod = await Node.RunAsync(config =>
        {
            config.Linux.SecurityContext.NamespaceOptions = new NamespaceOption { Network = NamespaceMode.Node, Pid = NamespaceMode.Node, Ipc = NamespaceMode.Node };
            config.Hostname = "";
        });
        var seen = await pod.OutputAsync("for n in net pid ipc; do readlink /proc/self/ns/$n; done");
        Assert.Equal(string.Concat(new[] { "net", "pid", "ipc" }.Select(kind => new FileInfo("/proc/self/ns/" + kind).LinkTarget + "\n")), seen);
        Assert.Empty((await pod.StatusAsync()).Network.Ip);
    }

    [Fact]
    public async Task Names_are_asked_where_the_pod_says()
    {
        await using var pod = await Node.RunAsync(config => config.DnsConfig = new DNSConfig
        {
            Servers = { "10.96.0.10", "10.96.0.11" }, Searches = { "suite.svc.cluster.local", "cluster.local" }, Options = { "ndots:5" },
        });
        Assert.Equal(
            "nameserver 10.96.0.10\nnameserver 10.96.0.11\noptions ndots:5\nsearch suite.svc.cluster.local cluster.local",
            string.Join('\n', (await pod.OutputAsync("cat /etc/resolv.conf")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)));
    }

    [Fact]
    public async Task A_host_port_leads_to_the_pod()
    {
        var port = Loopback.FreePort();
        await using var pod = await Node.RunAsync(config => config.PortMappings.Add(new PortMapping { HostPort = port, ContainerPort = 8080, Protocol = Protocol.Tcp }));
        var container = await pod.RunAsync("echo mapped > /tmp/index.html; exec httpd -f -p 8080 -h /tmp");
        await CriNode.UntilAsync(() => pod.TryExecAsync(container, "wget -q -O - http://127.0.0.1:8080/"), response => response.ExitCode == 0);
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(20) };
        var bytes = IPAddress.Parse((await pod.StatusAsync()).Network.Ip).GetAddressBytes();
        bytes[3] = 1;
        Assert.Equal("mapped\n", await http.GetStringAsync($"http://{new IPAddress(bytes)}:{port}/", Cancel));
        Assert.Equal("mapped\n", await http.GetStringAsync($"http://127.0.0.1:{port}/", Cancel));
        await pod.StopAsync();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => http.GetStringAsync($"http://{new IPAddress(bytes)}:{port}/", Cancel));
    }

    [Fact]
    public async Task Users_are_the_pods_own_where_that_is_asked_for()
    {
        var mapping = new IDMapping { HostId = 1 << 20, ContainerId = 0, Length = 65536 };
        var users = new UserNamespace { Mode = NamespaceMode.Pod, Uids = { mapping }, Gids = { mapping } };
        async Task<string> Map(UserNamespace options)
        {
            await using var pod = await Node.RunAsync(config => config.Linux.SecurityContext.NamespaceOptions.UsernsOptions = options);
            return string.Join(' ', (await pod.OutputAsync("cat /proc/self/uid_map")).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        }

        const string machine = "0 0 4294967295";
        Assert.Equal(machine, await Map(new UserNamespace { Mode = NamespaceMode.Node }));
        Assert.Equal(Differs("0 1048576 65536", machine, "userns_options came with containerd 1.7; the kubelet refuses it by the handlers' features"), await Map(users));
        if (Differs(false, true, "it knows nothing of the field"))
        {
            return;
        }

        await FailsAsync(StatusCode.InvalidArgument, () => Map(new UserNamespace { Mode = NamespaceMode.Pod, Uids = { mapping, mapping }, Gids = { mapping } }));
        await FailsAsync(StatusCode.InvalidArgument, () => Map(new UserNamespace { Mode = NamespaceMode.Pod, Uids = { mapping }, Gids = { new IDMapping { HostId = 1000, ContainerId = 1, Length = 10 } } }));
        await FailsAsync(StatusCode.InvalidArgument, () => Map(new UserNamespace { Mode = NamespaceMode.Container, Uids = { mapping }, Gids = { mapping } }));
        await FailsAsync(StatusCode.InvalidArgument, () => Map(new UserNamespace { Mode = NamespaceMode.Target, Uids = { mapping }, Gids = { mapping } }));
    }
}
