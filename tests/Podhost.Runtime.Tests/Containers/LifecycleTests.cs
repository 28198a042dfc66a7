using Grpc.Core;
using Podhost.Cri.V1;

namespace Podhost.Runtime.Tests.Containers;

public sealed class LifecycleTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_pod_runs_logs_and_ends_and_everything_is_removed()
    {
        await using var node = await RuntimeNode.StartAsync();
        var sandbox = await node.RunSandboxAsync();
        var status = await node.SandboxStatusAsync(sandbox);
        Assert.Equal(PodSandboxState.SandboxReady, status.State);
        Assert.True(node.Options.PodCidrs[0].Contains(System.Net.IPAddress.Parse(status.Network.Ip)));

        var container = await node.RunAsync(sandbox, "echo out; echo err >&2; hostname; exit 3");
        var ended = await node.WaitForExitAsync(container);

        Assert.Equal((3, "Error"), (ended.ExitCode, ended.Reason));
        Assert.True(ended.CreatedAt <= ended.StartedAt && ended.StartedAt <= ended.FinishedAt);
        var log = node.Log(ended);
        Assert.Contains(" stdout F out\n", log, StringComparison.Ordinal);
        Assert.Contains(" stderr F err\n", log, StringComparison.Ordinal);
        Assert.Contains(" stdout F pod\n", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_container_answers_on_the_pods_address_and_another_on_localhost()
    {
        await using var node = await RuntimeNode.StartAsync();
        var sandbox = await node.RunSandboxAsync();
        var server = await node.RunAsync(sandbox, "echo hello > /tmp/index.html; exec httpd -f -p 8080 -h /tmp");
        var client = await node.RunAsync(sandbox, "sleep 1000");
        var address = (await node.SandboxStatusAsync(sandbox)).Network.Ip;

        Assert.Equal("hello\n", await node.ExecAsync(client, Retry("wget -q -O - http://127.0.0.1:8080/")));
        using var http = new HttpClient();
        Assert.Equal("hello\n", await http.GetStringAsync($"http://{address}:8080/", Cancel));
        Assert.Equal(ContainerState.ContainerRunning, (await node.StatusAsync(server)).State);
    }

    [Fact]
    public async Task Stop_sends_the_stop_signal_and_kills_at_the_end_of_the_grace_period()
    {
        await using var node = await RuntimeNode.StartAsync();
        var sandbox = await node.RunSandboxAsync();
        // The image's stop signal is SIGINT.
        var polite = await node.RunAsync(sandbox, "trap 'exit 5' INT; echo ready; while :; do sleep 0.05; done");
        var stubborn = await node.RunAsync(sandbox, "trap '' INT TERM; echo ready; while :; do sleep 1; done");
        await ReadyAsync(node, polite);
        await ReadyAsync(node, stubborn);

        await node.Cri.StopContainerAsync(new StopContainerRequest { ContainerId = polite, Timeout = 60 }, Cancel);
        await node.Cri.StopContainerAsync(new StopContainerRequest { ContainerId = stubborn, Timeout = 1 }, Cancel);

        Assert.Equal(5, (await node.StatusAsync(polite)).ExitCode);
        Assert.Equal(137, (await node.StatusAsync(stubborn)).ExitCode);
        await node.Cri.StopContainerAsync(new StopContainerRequest { ContainerId = polite, Timeout = 60 }, Cancel);
        await node.Cri.StopContainerAsync(new StopContainerRequest { ContainerId = "absent", Timeout = 60 }, Cancel);
    }

    [Fact]
    public async Task A_command_that_does_not_exist_fails_the_start_and_is_seen_in_the_status()
    {
        await using var node = await RuntimeNode.StartAsync();
        var sandbox = await node.RunSandboxAsync();
        var container = await node.CreateAsync(sandbox, "", config =>
        {
            config.Command.Clear();
            config.Command.Add("/no/such/program");
        });
        var failure = await Assert.ThrowsAsync<RpcException>(() => node.Cri.StartContainerAsync(new StartContainerRequest { ContainerId = container }, Cancel));
        Assert.Contains("/no/such/program", failure.Status.Detail, StringComparison.Ordinal);
        var status = await node.StatusAsync(container);
        Assert.Equal((ContainerState.ContainerExited, 128, "StartError"), (status.State, status.ExitCode, status.Reason));
    }

    [Fact]
    public async Task Exceeding_the_memory_limit_is_reported_as_OOMKilled()
    {
        await using var node = await RuntimeNode.StartAsync();
        var sandbox = await node.RunSandboxAsync();
        var container = await node.RunAsync(sandbox, "exec tail /dev/zero", config => config.Linux.Resources = new LinuxContainerResources { MemoryLimitInBytes = 32 << 20 });
        var ended = await node.WaitForExitAsync(container);
        Assert.Equal((137, "OOMKilled"), (ended.ExitCode, ended.Reason));
    }

    [Fact]
    public async Task Killing_the_infra_process_makes_the_sandbox_not_ready_with_an_event()
    {
        await using var node = await RuntimeNode.StartAsync();
        var sandbox = await node.RunSandboxAsync();
        var verbose = await node.Cri.PodSandboxStatusAsync(new PodSandboxStatusRequest { PodSandboxId = sandbox, Verbose = true }, Cancel);
        System.Diagnostics.Process.GetProcessById(RuntimeNode.InfraPid(verbose)).Kill();
        var status = await node.WaitForNotReadyAsync(sandbox);
        Assert.Equal(PodSandboxState.SandboxNotready, status.State);
        var failure = await Assert.ThrowsAsync<RpcException>(() => node.CreateAsync(sandbox, "true"));
        Assert.Equal(StatusCode.FailedPrecondition, failure.StatusCode);
    }

    [Fact]
    public async Task A_shared_PID_namespace_has_the_infra_process_as_its_first()
    {
        await using var node = await RuntimeNode.StartAsync();
        var sandbox = await node.RunSandboxAsync(config => config.Linux.SecurityContext.NamespaceOptions.Pid = NamespaceMode.Pod);
        var container = await node.RunAsync(sandbox, "sleep 1000", config => config.Linux.SecurityContext.NamespaceOptions.Pid = NamespaceMode.Pod);
        var processes = await node.ExecAsync(container, "ps -o pid,args");
        Assert.Matches("(?m)^ *1 /catatonit -P", processes);
        await node.Cri.StopContainerAsync(new StopContainerRequest { ContainerId = container }, Cancel);
        Assert.Equal(137, (await node.StatusAsync(container)).ExitCode);
    }

    [Fact]
    public async Task Lists_are_filtered_by_id_prefix_state_sandbox_and_labels()
    {
        await using var node = await RuntimeNode.StartAsync();
        var first = await node.RunSandboxAsync();
        var second = await node.RunSandboxAsync(config => config.Labels["app"] = "other");
        var container = await node.RunAsync(first, "sleep 1000", config => config.Labels["tier"] = "web");
        await node.Cri.StopPodSandboxAsync(new StopPodSandboxRequest { PodSandboxId = second }, Cancel);

        async Task<string[]> Sandboxes(PodSandboxFilter filter) =>
            [.. (await node.Cri.ListPodSandboxAsync(new ListPodSandboxRequest { Filter = filter }, Cancel)).Items.Select(item => item.Id)];
        async Task<string[]> Containers(ContainerFilter filter) =>
            [.. (await node.Cri.ListContainersAsync(new ListContainersRequest { Filter = filter }, Cancel)).Containers.Select(item => item.Id)];

        Assert.Equal([first], await Sandboxes(new PodSandboxFilter { Id = first[..10] }));
        Assert.Equal([second], await Sandboxes(new PodSandboxFilter { State = new PodSandboxStateValue { State = PodSandboxState.SandboxNotready } }));
        Assert.Equal([second], await Sandboxes(new PodSandboxFilter { LabelSelector = { ["app"] = "other" } }));
        Assert.Equal([container], await Containers(new ContainerFilter { PodSandboxId = first, LabelSelector = { ["tier"] = "web" } }));
        Assert.Empty(await Containers(new ContainerFilter { PodSandboxId = second }));
        Assert.Empty(await Containers(new ContainerFilter { State = new ContainerStateValue { State = ContainerState.ContainerExited } }));
        Assert.Equal(container, (await node.StatusAsync(container[..12])).Id);
    }

    [Fact]
    public async Task Events_tell_of_creation_start_end_and_removal_in_order()
    {
        await using var node = await RuntimeNode.StartAsync();
        await using var events = node.Cri.GetContainerEventsAsync(new GetEventsRequest(), Cancel).GetAsyncEnumerator(Cancel);
        var sandbox = await node.RunSandboxAsync();
        var container = await node.RunAsync(sandbox, "exit 0");
        await node.WaitForExitAsync(container);
        await node.Cri.RemoveContainerAsync(new RemoveContainerRequest { ContainerId = container }, Cancel);
        var seen = new List<ContainerEventType>();
        while (seen.LastOrDefault() != ContainerEventType.ContainerDeletedEvent && await events.MoveNextAsync())
        {
            if (events.Current.ContainerId == container)
            {
                seen.Add(events.Current.ContainerEventType);
            }
        }

        Assert.Equal(
            [ContainerEventType.ContainerCreatedEvent, ContainerEventType.ContainerStartedEvent, ContainerEventType.ContainerStoppedEvent, ContainerEventType.ContainerDeletedEvent],
            seen);
    }

    internal static string Retry(string command) => $"for i in 1 2 3 4 5 6 7 8 9 10; do {command} && exit 0; sleep 0.1; done; exit 1";

    /// <summary>Waits until a container has printed a line.</summary>
    internal static async Task ReadyAsync(RuntimeNode node, string container)
    {
        var path = (await node.StatusAsync(container)).LogPath;
        Assert.True(SpinWait.SpinUntil(() => File.Exists(path) && new FileInfo(path).Length > 0, TimeSpan.FromSeconds(20)), "the container printed nothing");
    }
}
