using Grpc.Core;
using Podhost.Cri.V1;
using Podhost.Linux.Paths;
using Podhost.Linux.Processes;

namespace Podhost.Runtime.Tests.Containers;

public sealed class UserNamespaceTests
{
    private const uint First = 524288;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static UserNamespace Users => new() { Mode = NamespaceMode.Pod, Uids = { Mapping }, Gids = { Mapping } };

    private static IDMapping Mapping => new() { HostId = First, ContainerId = 0, Length = 65536 };

    [Fact]
    public async Task A_pod_with_users_of_its_own_is_root_inside_and_nobody_outside()
    {
        await using var node = await RuntimeNode.StartAsync();
        await SkipUnlessSupportedAsync(node);
        var sandbox = await node.RunSandboxAsync(config =>
        {
            config.Linux.SecurityContext.NamespaceOptions.UsernsOptions = Users;
            config.Linux.Sysctls["net.ipv4.ip_unprivileged_port_start"] = "0";
            config.Linux.Sysctls["kernel/shmmni"] = "1000";
        });
        var volume = Directory.CreateDirectory(Path.Combine(node.LogDirectory, "volume")).FullName;
        await File.WriteAllTextAsync(Path.Combine(volume, "file"), "of root\n", Cancel);
        File.SetUnixFileMode(Path.Combine(volume, "file"), UnixFileMode.UserRead);
        var container = await node.RunAsync(sandbox, "sleep 1000", config =>
        {
            config.Linux.SecurityContext.NamespaceOptions.UsernsOptions = Users;
            config.Mounts.Add(new Mount { HostPath = volume, ContainerPath = "/volume", UidMappings = { Mapping }, GidMappings = { Mapping } });
            config.Mounts.Add(new Mount { HostPath = Path.Combine(volume, "file"), ContainerPath = "/plain" });
            config.Mounts.Add(new Mount { Image = new ImageSpec { Image = node.ImageName }, ContainerPath = "/image", Readonly = true, UidMappings = { Mapping }, GidMappings = { Mapping } });
        });

        Assert.Equal("0 524288 65536", string.Join(' ', (await node.ExecAsync(container, "cat /proc/self/uid_map")).Split(' ', StringSplitOptions.RemoveEmptyEntries)).Trim());
        Assert.StartsWith("uid=0(root) gid=0(root)", await node.ExecAsync(container, "id"), StringComparison.Ordinal);
        Assert.Equal("pod\n1000\n0\n", await node.ExecAsync(container, "hostname; cat /proc/sys/kernel/shmmni /proc/sys/net/ipv4/ip_unprivileged_port_start"));
        var owners = await node.ExecAsync(container, "ls -lnd /bin/busybox /volume/file /image/bin/busybox /etc/hosts /dev/shm /plain");
        Assert.Equal(["0 0", "0 0", "0 0", "0 0", "0 0", "65534 65534"], Owners(owners, "/bin/busybox", "/volume/file", "/image/bin/busybox", "/etc/hosts", "/dev/shm", "/plain"));
        Assert.Equal("of root\n", await node.ExecAsync(container, "cat /volume/file; echo new > /volume/new; echo x >> /etc/passwd; echo x > /dev/shm/x; kill -9 1 2>/dev/null || true"));
        Assert.Contains("eth0", await node.ExecAsync(container, "ip addr"), StringComparison.Ordinal);

        Assert.Equal(0u, PathStatus.Read(Path.Combine(volume, "new"))!.Uid);
        var pid = int.Parse((await node.Cri.ContainerStatusAsync(new ContainerStatusRequest { ContainerId = container, Verbose = true }, Cancel)).Info["pid"]);
        Assert.Equal(First, PathStatus.Read($"/proc/{pid}")!.Uid);
        Assert.Equal(0u, PathStatus.Read("/dev/null")!.Uid);
    }

    [Fact]
    public async Task It_is_adopted_after_a_restart_and_takes_further_containers()
    {
        await using var node = await RuntimeNode.StartAsync();
        await SkipUnlessSupportedAsync(node);
        var sandbox = await node.RunSandboxAsync(config =>
        {
            config.Linux.SecurityContext.NamespaceOptions = new NamespaceOption { Pid = NamespaceMode.Pod, UsernsOptions = Users };
        });
        var first = await node.RunAsync(sandbox, "sleep 1000", config => config.Linux.SecurityContext.NamespaceOptions = new NamespaceOption { Pid = NamespaceMode.Pod, UsernsOptions = Users });
        await node.RestartAsync();
        Assert.Equal(ContainerState.ContainerRunning, (await node.StatusAsync(first)).State);
        var second = await node.RunAsync(sandbox, "ps -o pid,args; id -u; exit 7", config =>
        {
            config.Linux.SecurityContext.NamespaceOptions = new NamespaceOption { Pid = NamespaceMode.Pod, UsernsOptions = Users };
            config.Linux.SecurityContext.RunAsUser = new Int64Value { Value = 1000 };
        });
        var ended = await node.WaitForExitAsync(second);
        Assert.Equal(7, ended.ExitCode);
        Assert.Contains("sleep 1000", node.Log(ended), StringComparison.Ordinal);
        Assert.Contains(" 1000\n", node.Log(ended), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_does_not_fit_the_users_of_the_pod_is_refused()
    {
        await using var node = await RuntimeNode.StartAsync();
        await SkipUnlessSupportedAsync(node);
        async Task<string> Refused(Action<NamespaceOption> change) => (await Assert.ThrowsAsync<RpcException>(() => node.RunSandboxAsync(config =>
        {
            config.Linux.SecurityContext.NamespaceOptions.UsernsOptions = Users;
            change(config.Linux.SecurityContext.NamespaceOptions);
        }))).Status.Detail;
        Assert.Contains("cannot share", await Refused(options => options.Network = NamespaceMode.Node), StringComparison.Ordinal);
        Assert.Contains("root of the machine", await Refused(options => options.UsernsOptions.Uids[0].HostId = 0), StringComparison.Ordinal);
        Assert.Contains("uids: one range", await Refused(options => options.UsernsOptions.Uids.Add(Mapping)), StringComparison.Ordinal);
        Assert.Contains("gids: one range", await Refused(options => options.UsernsOptions.Gids.Clear()), StringComparison.Ordinal);
        Assert.Contains("id 0 must be", await Refused(options => options.UsernsOptions.Gids[0].ContainerId = 1), StringComparison.Ordinal);
        Assert.Contains("POD or NODE", await Refused(options => options.UsernsOptions.Mode = NamespaceMode.Container), StringComparison.Ordinal);
        var sandbox = await node.RunSandboxAsync();
        async Task<string> RefusedContainer(Action<ContainerConfig> change) => (await Assert.ThrowsAsync<RpcException>(() => node.CreateAsync(sandbox, "true", change))).Status.Detail;
        Assert.Contains("differs", await RefusedContainer(config => config.Linux.SecurityContext.NamespaceOptions.UsernsOptions = Users), StringComparison.Ordinal);
        Assert.Contains("differ", await RefusedContainer(config => config.Mounts.Add(new Mount { HostPath = "/tmp", ContainerPath = "/x", UidMappings = { Mapping }, GidMappings = { Mapping } })), StringComparison.Ordinal);
    }

    internal static async Task SkipUnlessSupportedAsync(RuntimeNode node)
    {
        var status = await node.Cri.StatusAsync(new StatusRequest(), Cancel);
        Assert.SkipUnless(status.RuntimeHandlers[0].Features.UserNamespaces, "no user namespaces with mapped owners on this machine");
    }

    private static IEnumerable<string> Owners(string listing, params string[] names) => names.Select(name =>
        listing.Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(fields => fields.Length > 4 && fields[^1] == name).Select(fields => $"{fields[2]} {fields[3]}").Single());
}
