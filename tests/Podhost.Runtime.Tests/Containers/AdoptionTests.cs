using Podhost.Cri.V1;
using Podhost.Streaming.Contract;

namespace Podhost.Runtime.Tests.Containers;

public sealed class AdoptionTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_runtime_adopts_what_runs_and_learns_what_ended_meanwhile()
    {
        await using var node = await RuntimeNode.StartAsync();
        var sandbox = await node.RunSandboxAsync();
        var survivor = await node.RunAsync(sandbox, "trap 'exit 0' INT; echo up; while :; do sleep 0.05; done");
        var created = await node.CreateAsync(sandbox, "exit 0");
        var meanwhile = await node.RunAsync(sandbox, "while ! [ -e /tmp/go ]; do sleep 0.05; done; exit 7", config => config.Mounts.Add(new Mount { HostPath = node.LogDirectory, ContainerPath = "/tmp" }));
        var before = await node.StatusAsync(survivor);
        var address = (await node.SandboxStatusAsync(sandbox)).Network.Ip;

        await node.CloseAsync();
        File.WriteAllText(Path.Combine(node.LogDirectory, "go"), "");
        Assert.True(SpinWait.SpinUntil(() => File.Exists(Path.Combine(node.Options.RunDirectory, "exits", meanwhile)), TimeSpan.FromSeconds(20)));
        await node.OpenAsync();

        var after = await node.StatusAsync(survivor);
        Assert.Equal((ContainerState.ContainerRunning, before.StartedAt), (after.State, after.StartedAt));
        Assert.Equal(7, (await node.StatusAsync(meanwhile)).ExitCode);
        var status = await node.SandboxStatusAsync(sandbox);
        Assert.Equal((PodSandboxState.SandboxReady, address), (status.State, status.Network.Ip));
        Assert.Equal("up\n", await node.ExecAsync(survivor, "echo up"));
        await node.Cri.StartContainerAsync(new StartContainerRequest { ContainerId = created }, Cancel);
        Assert.Equal(0, (await node.WaitForExitAsync(created)).ExitCode);
        // The exit of an adopted container is seen as well.
        await node.Cri.StopContainerAsync(new StopContainerRequest { ContainerId = survivor, Timeout = 30 }, Cancel);
        Assert.Equal(0, (await node.StatusAsync(survivor)).ExitCode);
        Assert.NotEqual(address, (await node.SandboxStatusAsync(await node.RunSandboxAsync())).Network.Ip);
    }

    [Fact]
    public async Task A_killed_infra_process_and_container_are_noticed_at_the_next_start()
    {
        await using var node = await RuntimeNode.StartAsync();
        var sandbox = await node.RunSandboxAsync();
        var container = await node.RunAsync(sandbox, "sleep 1000");
        var infra = RuntimeNode.InfraPid(await node.Cri.PodSandboxStatusAsync(new PodSandboxStatusRequest { PodSandboxId = sandbox, Verbose = true }, Cancel));
        await node.CloseAsync();
        using (var process = Podhost.Linux.Processes.PidFd.Open(infra)!)
        {
            process.Signal(9);
            await process.WaitForExitAsync(Cancel);
        }

        await node.OpenAsync();
        Assert.Equal(PodSandboxState.SandboxNotready, (await node.SandboxStatusAsync(sandbox)).State);
        Assert.Equal(ContainerState.ContainerRunning, (await node.StatusAsync(container)).State);
    }

    [Fact]
    public async Task A_container_whose_conmon_was_killed_ends_with_an_unknown_code()
    {
        await using var node = await RuntimeNode.StartAsync();
        var sandbox = await node.RunSandboxAsync();
        var container = await node.RunAsync(sandbox, "sleep 1000");
        var conmon = int.Parse(File.ReadAllText(Path.Combine(node.Options.RunDirectory, "conmon", container, "conmon.pid")));
        System.Diagnostics.Process.GetProcessById(conmon).Kill();
        await node.Cri.StopContainerAsync(new StopContainerRequest { ContainerId = container }, Cancel);
        var status = await node.StatusAsync(container);
        Assert.Equal((255, "Unknown"), (status.ExitCode, status.Reason));
    }

    [Fact]
    public async Task A_command_with_a_terminal_that_a_killed_podhost_left_behind_is_ended()
    {
        await using var node = await RuntimeNode.StartAsync();
        var container = await node.RunAsync(await node.RunSandboxAsync(), "sleep 1000");
        var session = node.Backend.ExecAsync(container, ["sleep", "999"], true, new SessionStreams(null, new MemoryStream(), null, null), Cancel);
        await node.ExecAsync(container, LifecycleTests.Retry("ps -o args | grep -q '^sleep 999'"));
        // Nothing of a run ends its commands by itself: as if this one were killed.
        await node.CloseAsync();
        await node.OpenAsync();
        Assert.Equal(137, await session.WaitAsync(TimeSpan.FromSeconds(30), Cancel));
        await node.ExecAsync(container, "! ps -o args | grep -q '^sleep 999'");
        Assert.DoesNotContain(Directory.EnumerateDirectories(Path.Combine(node.Options.RunDirectory, "conmon", container)), path => Path.GetFileName(path).StartsWith("exec-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Half_made_and_ownerless_things_are_cleaned_at_the_next_start()
    {
        await using var node = await RuntimeNode.StartAsync();
        var sandbox = await node.RunSandboxAsync();
        await node.RunAsync(sandbox, "sleep 1000");
        await node.CloseAsync();
        // As after a crash in the middle of a removal, and with a record lost.
        var record = Directory.GetFiles(Path.Combine(node.Options.DataDirectory, "sandboxes")).Single();
        File.WriteAllText(record, File.ReadAllText(record).Replace("\"Ready\"", "\"Removing\"", StringComparison.Ordinal));
        Directory.CreateDirectory(Path.Combine(node.Options.RunDirectory, "conmon", "feed"));
        await node.OpenAsync();
        Assert.Empty((await node.Cri.ListPodSandboxAsync(new ListPodSandboxRequest(), Cancel)).Items);
        Assert.Empty((await node.Cri.ListContainersAsync(new ListContainersRequest(), Cancel)).Containers);
        Assert.False(Directory.Exists(Path.Combine(node.Options.RunDirectory, "conmon", "feed")));
    }

    [Fact]
    public async Task Two_runtimes_cannot_share_a_directory()
    {
        await using var node = await RuntimeNode.StartAsync();
        await Assert.ThrowsAsync<IOException>(() => node.OpenAsync());
    }
}
