using System.Diagnostics;
using Grpc.Core;
using Podhost.Cri.Suite.Tests.Nodes;
using Podhost.Cri.V1;

namespace Podhost.Cri.Suite.Tests.Suite;

public sealed class EmbeddedMinimalTests(EmbeddedNode node) : MinimalTests(node);

public sealed class ContainerdMinimalTests(ContainerdNode node) : MinimalTests(node);

/// <summary>Requests that say almost nothing: what a runtime does then, and lists as streams.</summary>
public abstract class MinimalTests(CriNode node) : CriSuite(node)
{
    [Fact]
    public async Task A_pod_and_a_container_need_only_names_and_an_image()
    {
        var config = new PodSandboxConfig
        {
            Metadata = new PodSandboxMetadata { Name = Node.Name("minimal"), Namespace = "suite", Uid = Guid.NewGuid().ToString() },
            Linux = new LinuxPodSandboxConfig { CgroupParent = Node.CgroupParent + "/minimal" },
            DnsConfig = new DNSConfig(),
        };
        await using var pod = new Pod(Node, (await Node.Runtime.RunPodSandboxAsync(new RunPodSandboxRequest { Config = config }, Cancel)).PodSandboxId, config);
        var container = new ContainerConfig
        {
            Metadata = new ContainerMetadata { Name = "minimal" }, Image = new ImageSpec { Image = Node.Image }, Command = { "/bin/sleep", "1000" },
        };
        var id = (await Node.Runtime.CreateContainerAsync(new CreateContainerRequest { PodSandboxId = pod.Id, Config = container, SandboxConfig = config }, Cancel)).ContainerId;
        await Node.Runtime.StartContainerAsync(new StartContainerRequest { ContainerId = id }, Cancel);
        Assert.Equal("1000 Seccomp:\t0\n", await pod.ExecAsync(id, "echo $(id -u) \"$(grep Seccomp: /proc/self/status)\""));
        // Nothing said means one PID namespace for the pod, whose first process is the infra process.
        Assert.DoesNotContain("sleep", await pod.ExecAsync(id, "cat /proc/1/cmdline"), StringComparison.Ordinal);
        var status = await pod.StatusAsync(id);
        Assert.Equal((ContainerState.ContainerRunning, ""), (status.State, status.LogPath));
        Assert.True(System.Net.IPAddress.TryParse((await pod.StatusAsync()).Network.Ip, out _));
        // The node's own resolvers, as the pod names none.
        Assert.Equal(await File.ReadAllTextAsync("/etc/resolv.conf", Cancel), await pod.ExecAsync(id, "cat /etc/resolv.conf"));
    }

    [Fact]
    public async Task Shared_memory_of_the_node_is_seen_only_with_its_IPC_namespace()
    {
        var segment = (await ShellAsync("ipcmk -M 4096")).Split(':')[1].Trim();
        try
        {
            async Task<bool> Sees(NamespaceMode mode)
            {
                await using var pod = await Node.RunAsync(config => config.Linux.SecurityContext.NamespaceOptions.Ipc = mode);
                return (await pod.OutputAsync("awk '{print $2}' /proc/sysvipc/shm")).Split('\n').Contains(segment);
            }

            Assert.True(await Sees(NamespaceMode.Node));
            Assert.False(await Sees(NamespaceMode.Pod));
        }
        finally
        {
            await ShellAsync($"ipcrm -m {segment}");
        }
    }

    [Fact]
    public async Task Lists_of_containers_and_usage_are_streamed()
    {
        await using var pod = await Node.RunAsync();
        var container = await pod.RunAsync("sleep 1000", config => config.Labels["streamed"] = "yes");
        var containers = Node.Runtime.StreamContainersAsync(new StreamContainersRequest { Filter = new ContainerFilter { PodSandboxId = pod.Id } }, Cancel);
        if (Differs(false, true, "streamed lists came with CRI of 1.36"))
        {
            await FailsAsync(StatusCode.Unimplemented, async () => await containers.GetAsyncEnumerator(Cancel).MoveNextAsync());
            return;
        }

        Assert.Equal([container], await All(containers, part => part.Containers.Select(each => each.Id)));
        var labels = new ContainerStatsFilter { LabelSelector = { ["streamed"] = "yes" } };
        Assert.Equal([container], await All(Node.Runtime.StreamContainerStatsAsync(new StreamContainerStatsRequest { Filter = labels }, Cancel), part => part.ContainerStats.Select(each => each.Attributes.Id)));
        var none = new ContainerStatsFilter { LabelSelector = { ["streamed"] = "no" } };
        Assert.Empty(await All(Node.Runtime.StreamContainerStatsAsync(new StreamContainerStatsRequest { Filter = none }, Cancel), part => part.ContainerStats.Select(each => each.Attributes.Id)));
        Assert.Equal(
            [pod.Id],
            await All(Node.Runtime.StreamPodSandboxStatsAsync(new StreamPodSandboxStatsRequest { Filter = new PodSandboxStatsFilter { Id = pod.Id } }, Cancel), part => part.PodSandboxStats.Select(each => each.Attributes.Id)));
    }

    private static async Task<List<string>> All<T>(IAsyncEnumerable<T> stream, Func<T, IEnumerable<string>> ids)
    {
        var all = new List<string>();
        await foreach (var part in stream)
        {
            all.AddRange(ids(part));
        }

        return all;
    }

    private static async Task<string> ShellAsync(string command)
    {
        using var process = Process.Start(new ProcessStartInfo("sh", ["-c", command]) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        await process.WaitForExitAsync(CancellationToken.None);
        Assert.Equal(0, process.ExitCode);
        return output;
    }
}
