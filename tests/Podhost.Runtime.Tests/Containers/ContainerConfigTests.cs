using System.Net;
using Podhost.Cri.V1;
using Podhost.Tests.Shared;

namespace Podhost.Runtime.Tests.Containers;

public sealed class ContainerConfigTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Users_groups_capabilities_and_privileges_are_as_asked()
    {
        await using var node = await RuntimeNode.StartAsync();
        var sandbox = await node.RunSandboxAsync();
        var container = await node.RunAsync(sandbox, "sleep 1000", config =>
        {
            var context = config.Linux.SecurityContext;
            context.RunAsUser = new Int64Value { Value = 1000 };
            context.SupplementalGroups.Add(4000);
            context.NoNewPrivs = true;
            context.ReadonlyRootfs = true;
            context.Capabilities = new Capability { DropCapabilities = { "ALL" } };
            context.Seccomp = new SecurityProfile { ProfileType = SecurityProfile.Types.ProfileType.RuntimeDefault };
            context.MaskedPaths.Add("/proc/kcore");
            context.ReadonlyPaths.Add("/proc/sys");
        });
        Assert.Equal("uid=1000(app) gid=1001(app) groups=1001(app),2000(extra),4000\n", await node.ExecAsync(container, "id"));
        var status = await node.ExecAsync(container, "cat /proc/self/status");
        Assert.Contains("CapBnd:\t0000000000000000", status, StringComparison.Ordinal);
        Assert.Contains("NoNewPrivs:\t1", status, StringComparison.Ordinal);
        Assert.Contains("Seccomp:\t2", status, StringComparison.Ordinal);
        Assert.Equal("no\n", await node.ExecAsync(container, "echo x > /file 2>/dev/null || echo no"));
        Assert.Equal([1001L, 2000L, 4000L], (await node.StatusAsync(container)).User.Linux.SupplementalGroups);
    }

    [Fact]
    public async Task A_privileged_container_has_the_hosts_devices_and_rights()
    {
        await using var node = await RuntimeNode.StartAsync();
        var sandbox = await node.RunSandboxAsync(config => config.Linux.SecurityContext.Privileged = true);
        var container = await node.RunAsync(sandbox, "sleep 1000", config => config.Linux.SecurityContext.Privileged = true);
        await node.ExecAsync(container, "mkdir -p /tmp/m 2>/dev/null; mount -t tmpfs none /tmp && echo mounted");
        Assert.Contains("kmsg", await node.ExecAsync(container, "ls /dev"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Volumes_are_mounted_in_order_of_depth_and_read_only_where_asked()
    {
        await using var node = await RuntimeNode.StartAsync();
        var sandbox = await node.RunSandboxAsync();
        var outer = Directory.CreateDirectory(Path.Combine(node.LogDirectory, "outer")).FullName;
        var inner = Directory.CreateDirectory(Path.Combine(node.LogDirectory, "inner")).FullName;
        Directory.CreateDirectory(Path.Combine(outer, "in"));
        File.WriteAllText(Path.Combine(inner, "file"), "inside");
        var container = await node.RunAsync(sandbox, "sleep 1000", config =>
        {
            config.Mounts.Add(new Mount { HostPath = inner, ContainerPath = "/data/in", Readonly = true, RecursiveReadOnly = true });
            config.Mounts.Add(new Mount { HostPath = outer, ContainerPath = "/data" });
            config.Mounts.Add(new Mount { Image = new ImageSpec { Image = node.ImageName }, ContainerPath = "/image", Readonly = true, ImageSubPath = "etc" });
        });
        Assert.Equal("inside", await node.ExecAsync(container, "cat /data/in/file"));
        Assert.Equal("no\n", await node.ExecAsync(container, "echo x > /data/in/file 2>/dev/null || echo no; echo y > /data/new"));
        Assert.Equal("y\n", File.ReadAllText(Path.Combine(outer, "new")));
        Assert.Contains("app:x:1000", await node.ExecAsync(container, "cat /image/passwd"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_sandboxs_files_and_sysctls_are_seen()
    {
        await using var node = await RuntimeNode.StartAsync();
        var sandbox = await node.RunSandboxAsync(config =>
        {
            config.DnsConfig = new DNSConfig { Servers = { "10.96.0.10" }, Searches = { "default.svc.cluster.local" }, Options = { "ndots:5" } };
            config.Linux.Sysctls["net.ipv4.ip_unprivileged_port_start"] = "80";
            config.Linux.Sysctls["kernel.shm_rmid_forced"] = "1";
        });
        var container = await node.RunAsync(sandbox, "sleep 1000");
        Assert.Equal("search default.svc.cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n", await node.ExecAsync(container, "cat /etc/resolv.conf"));
        Assert.Equal("80\n1\n", await node.ExecAsync(container, "cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/shm_rmid_forced"));
        Assert.Equal("ok\n", await node.ExecAsync(container, "echo ok > /dev/shm/x; cat /dev/shm/x"));
    }

    [Fact]
    public async Task Limits_are_in_the_cgroup_and_change_with_an_update()
    {
        await using var node = await RuntimeNode.StartAsync();
        var sandbox = await node.RunSandboxAsync();
        var container = await node.RunAsync(sandbox, "sleep 1000", config => config.Linux.Resources = new LinuxContainerResources
        {
            CpuShares = 102, CpuPeriod = 100000, CpuQuota = 50000, MemoryLimitInBytes = 64 << 20,
        });
        await node.Cri.UpdateContainerResourcesAsync(
            new UpdateContainerResourcesRequest { ContainerId = container, Linux = new LinuxContainerResources { CpuQuota = 70000, MemoryLimitInBytes = 128 << 20 } }, Cancel);
        var tree = new Podhost.Linux.Cgroups.CgroupTree(Podhost.Linux.Cgroups.CgroupLayout.Detect());
        var path = $"{node.CgroupParent}/{container}";
        Assert.Equal("134217728", tree.Read("memory", path, tree.IsV2 ? "memory.max" : "memory.limit_in_bytes"));
        Assert.Equal(tree.IsV2 ? "70000 100000" : "70000", tree.Read("cpu", path, tree.IsV2 ? "cpu.max" : "cpu.cfs_quota_us"));
        var resources = (await node.StatusAsync(container)).Resources.Linux;
        Assert.Equal((102, 70000, 128 << 20), (resources.CpuShares, resources.CpuQuota, resources.MemoryLimitInBytes));
        var stats = (await node.Cri.ContainerStatsAsync(new ContainerStatsRequest { ContainerId = container }, Cancel)).Stats;
        Assert.True(stats.Cpu.UsageCoreNanoSeconds.Value > 0 && stats.Memory.WorkingSetBytes.Value > 0);
        var pod = (await node.Cri.PodSandboxStatsAsync(new PodSandboxStatsRequest { PodSandboxId = sandbox }, Cancel)).Stats;
        Assert.Equal("eth0", pod.Linux.Network.DefaultInterface.Name);
    }

    [Fact]
    public async Task A_host_port_leads_to_the_pod_and_is_given_once()
    {
        await using var node = await RuntimeNode.StartAsync();
        var port = Loopback.FreePort();
        void Map(PodSandboxConfig config) => config.PortMappings.Add(new PortMapping { HostPort = port, ContainerPort = 8080 });
        var sandbox = await node.RunSandboxAsync(Map);
        var container = await node.RunAsync(sandbox, "echo hello > /tmp/index.html; exec httpd -f -p 8080 -h /tmp");
        await node.ExecAsync(container, LifecycleTests.Retry("wget -q -O - http://127.0.0.1:8080/"));
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        Assert.Equal("hello\n", await http.GetStringAsync($"http://127.0.0.1:{port}/", Cancel));
        // The pod reaches itself by the host's address: hairpin.
        Assert.Equal("hello\n", await node.ExecAsync(container, $"wget -q -O - http://{Gateway(node)}:{port}/"));
        await Assert.ThrowsAsync<Grpc.Core.RpcException>(() => node.RunSandboxAsync(Map));
        await node.Cri.RemovePodSandboxAsync(new RemovePodSandboxRequest { PodSandboxId = sandbox }, Cancel);
        await node.RunSandboxAsync(Map);
    }

    [Fact]
    public async Task A_pod_on_the_hosts_network_has_no_address_of_its_own()
    {
        await using var node = await RuntimeNode.StartAsync();
        var sandbox = await node.RunSandboxAsync(config => config.Linux.SecurityContext.NamespaceOptions.Network = NamespaceMode.Node);
        var container = await node.RunAsync(sandbox, "sleep 1000", config => config.Linux.SecurityContext.NamespaceOptions.Network = NamespaceMode.Node);
        Assert.Empty((await node.SandboxStatusAsync(sandbox)).Network.Ip);
        Assert.Contains(node.Options.Bridge, await node.ExecAsync(container, "ip link"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_log_goes_on_in_a_new_file_after_a_rotation()
    {
        await using var node = await RuntimeNode.StartAsync();
        var sandbox = await node.RunSandboxAsync();
        var container = await node.RunAsync(sandbox, "echo one; trap 'echo two' USR1; while :; do sleep 0.05; done");
        await LifecycleTests.ReadyAsync(node, container);
        var log = (await node.StatusAsync(container)).LogPath;
        File.Move(log, log + ".1");
        await node.Cri.ReopenContainerLogAsync(new ReopenContainerLogRequest { ContainerId = container }, Cancel);
        await node.ExecAsync(container, "kill -USR1 1");
        await LifecycleTests.ReadyAsync(node, container);
        Assert.EndsWith("stdout F one\n", File.ReadAllText(log + ".1"), StringComparison.Ordinal);
        Assert.EndsWith("stdout F two\n", File.ReadAllText(log), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_infra_image_replaces_the_built_in_program()
    {
        await using var node = await RuntimeNode.StartAsync();
        await node.CloseAsync();
        node.Options = node.Options with { InfraImage = node.ImageName };
        await node.OpenAsync();
        // The image's command, /bin/app, does not exist: the failure names it, and nothing is left behind.
        var failure = await Assert.ThrowsAsync<Grpc.Core.RpcException>(() => node.RunSandboxAsync());
        Assert.Contains("/bin/app", failure.Status.Detail, StringComparison.Ordinal);
    }

    private static string Gateway(RuntimeNode node)
    {
        var bytes = node.Options.PodCidrs[0].BaseAddress.GetAddressBytes();
        bytes[3]++;
        return new IPAddress(bytes).ToString();
    }
}
