using Grpc.Core;
using Podhost.Cri.Suite.Tests.Nodes;
using Podhost.Cri.V1;

namespace Podhost.Cri.Suite.Tests.Suite;

public sealed class EmbeddedContainerTests(EmbeddedNode node) : ContainerTests(node);

public sealed class ContainerdContainerTests(ContainerdNode node) : ContainerTests(node);

/// <summary>The life of containers.</summary>
public abstract class ContainerTests(CriNode node) : CriSuite(node)
{
    [Fact]
    public async Task A_container_goes_from_created_to_running_to_exited()
    {
        await using var pod = await Node.RunAsync();
        var container = await pod.CreateAsync("trap 'exit 3' TERM; touch /tmp/ready; while :; do sleep 0.05; done", config =>
        {
            config.Metadata.Attempt = 2;
            config.Labels["tier"] = "web";
            config.Annotations["why"] = "test";
        });
        var created = await pod.StatusAsync(container);
        Assert.Equal((ContainerState.ContainerCreated, 2U, "web", "test"), (created.State, created.Metadata.Attempt, created.Labels["tier"], created.Annotations["why"]));
        Assert.Equal((0L, 0L), (created.StartedAt, created.FinishedAt));
        await Node.Runtime.StartContainerAsync(new StartContainerRequest { ContainerId = container }, Cancel);
        Assert.Equal(ContainerState.ContainerRunning, (await pod.StatusAsync(container)).State);
        await CriNode.UntilAsync(() => pod.TryExecAsync(container, "test -e /tmp/ready"), response => response.ExitCode == 0);
        await StopAsync(container, 30);
        var ended = await pod.StatusAsync(container);
        Assert.Equal((ContainerState.ContainerExited, 3, "Error"), (ended.State, ended.ExitCode, ended.Reason));
        Assert.True(ended.CreatedAt <= ended.StartedAt && ended.StartedAt <= ended.FinishedAt);
        Assert.Equal(Node.Image, ended.Image.Image);
        Assert.NotEmpty(ended.ImageRef);
    }

    [Fact]
    public async Task Stop_and_remove_are_idempotent_also_for_what_never_was()
    {
        await using var pod = await Node.RunAsync();
        var container = await pod.RunAsync("trap '' TERM; while :; do sleep 1; done");
        await StopAsync(container, 0);
        Assert.Equal(137, (await pod.StatusAsync(container)).ExitCode);
        await StopAsync(container, 10);
        await RemoveAsync(container);
        await RemoveAsync(container);
        await StopAsync(container, 10);
        await RemoveAsync("never-was");
        await FailsAsync(StatusCode.NotFound, () => pod.StatusAsync(container));
    }

    [Fact]
    public async Task The_grace_period_ends_with_a_kill()
    {
        await using var pod = await Node.RunAsync();
        var container = await pod.RunAsync("trap '' TERM; touch /tmp/ready; while :; do sleep 0.1; done");
        await CriNode.UntilAsync(() => pod.TryExecAsync(container, "test -e /tmp/ready"), response => response.ExitCode == 0);
        await StopAsync(container, 1);
        Assert.Equal((ContainerState.ContainerExited, 137), ((await pod.StatusAsync(container)).State, (await pod.StatusAsync(container)).ExitCode));
    }

    [Fact]
    public async Task A_running_container_is_removed_by_force_and_a_created_one_too()
    {
        await using var pod = await Node.RunAsync();
        await RemoveAsync(await pod.RunAsync("sleep 1000"));
        await RemoveAsync(await pod.CreateAsync("sleep 1000"));
        Assert.Empty(await ListAsync(new ContainerFilter { PodSandboxId = pod.Id }));
    }

    [Fact]
    public async Task An_end_with_zero_is_Completed_and_out_of_memory_is_OOMKilled()
    {
        await using var pod = await Node.RunAsync();
        var good = await pod.ExitedAsync(await pod.RunAsync("true"));
        Assert.Equal((0, "Completed"), (good.ExitCode, good.Reason));
        var greedy = await pod.ExitedAsync(await pod.RunAsync("exec tail /dev/zero", config =>
            (config.Linux.Resources.MemoryLimitInBytes, config.Linux.Resources.MemorySwapLimitInBytes) = (32 << 20, 32 << 20)));
        Assert.Equal((137, "OOMKilled"), (greedy.ExitCode, greedy.Reason));
    }

    [Fact]
    public async Task A_command_that_is_not_there_fails_the_start_and_is_told_by_the_status()
    {
        await using var pod = await Node.RunAsync();
        var container = await pod.CreateAsync("", config =>
        {
            config.Command.Clear();
            config.Command.Add("/no/such/program");
        });
        var failure = await Assert.ThrowsAsync<RpcException>(() => Node.Runtime.StartContainerAsync(new StartContainerRequest { ContainerId = container }, Cancel));
        Assert.Contains("/no/such/program", failure.Status.Detail, StringComparison.Ordinal);
        var status = await pod.StatusAsync(container);
        Assert.Equal((ContainerState.ContainerExited, 128, "StartError"), (status.State, status.ExitCode, status.Reason));
        Assert.Contains("/no/such/program", status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_container_starts_once()
    {
        await using var pod = await Node.RunAsync();
        var container = await pod.RunAsync("true");
        await pod.ExitedAsync(container);
        await Assert.ThrowsAsync<RpcException>(() => Node.Runtime.StartContainerAsync(new StartContainerRequest { ContainerId = container }, Cancel));
        await FailsAsync(StatusCode.NotFound, () => Node.Runtime.StartContainerAsync(new StartContainerRequest { ContainerId = "never-was" }, Cancel));
    }

    [Fact]
    public async Task One_attempt_of_a_container_is_one()
    {
        await using var pod = await Node.RunAsync();
        await pod.CreateAsync("true", config => config.Metadata.Name = "same");
        await FailsAsync(
            Differs(StatusCode.AlreadyExists, StatusCode.Unknown, "containerd gives its plain errors no code"), () => pod.CreateAsync("true", config => config.Metadata.Name = "same"));
        await pod.CreateAsync("true", config => (config.Metadata.Name, config.Metadata.Attempt) = ("same", 1));
    }

    [Fact]
    public async Task Lists_are_filtered_by_id_state_sandbox_and_labels()
    {
        await using var pod = await Node.RunAsync();
        await using var other = await Node.RunAsync();
        var running = await pod.RunAsync("sleep 1000", config => config.Labels["tier"] = "web");
        var created = await pod.CreateAsync("true", config => config.Labels["tier"] = "web");
        var elsewhere = await other.RunAsync("sleep 1000", config => config.Labels["tier"] = "web");
        Assert.Equal(new[] { running, created }.Order(), (await ListAsync(new ContainerFilter { PodSandboxId = pod.Id })).Order());
        Assert.Equal([running], await ListAsync(new ContainerFilter { PodSandboxId = pod.Id, State = State(ContainerState.ContainerRunning) }));
        Assert.Equal([created], await ListAsync(new ContainerFilter { PodSandboxId = pod.Id, State = State(ContainerState.ContainerCreated) }));
        Assert.Equal([elsewhere], await ListAsync(new ContainerFilter { Id = elsewhere, LabelSelector = { ["tier"] = "web" } }));
        Assert.Empty(await ListAsync(new ContainerFilter { Id = elsewhere, PodSandboxId = pod.Id }));
        Assert.Empty(await ListAsync(new ContainerFilter { PodSandboxId = pod.Id, LabelSelector = { ["tier"] = "db" } }));
    }

    [Fact]
    public async Task What_the_image_says_is_the_default()
    {
        await using var pod = await Node.RunAsync();
        Assert.Equal("from the image\n", await pod.OutputAsync("", config => config.Command.Clear()));
        Assert.Equal("args alone\n", await pod.OutputAsync("", config =>
        {
            config.Command.Clear();
            config.Args.Add("echo args alone");
        }));
        Assert.Equal("/srv yes b 1000\n", await pod.OutputAsync("echo $(pwd) $FROM_IMAGE $A $(id -u)", config =>
        {
            config.Envs.Add(new KeyValue { Key = "A", Value = "b" });
            config.Linux.SecurityContext.RunAsUser = null;
        }));
        Assert.Equal("/tmp\n", await pod.OutputAsync("pwd", config => config.WorkingDir = "/tmp"));
    }

    [Fact]
    public async Task Usage_of_a_container_is_counted()
    {
        await using var pod = await Node.RunAsync();
        var container = await pod.RunAsync("dd if=/dev/zero of=/tmp/file bs=1M count=4 2>/dev/null; sleep 1000", config => config.Labels["a"] = "b");
        var stats = await CriNode.UntilAsync(
            async () => (await Node.Runtime.ContainerStatsAsync(new ContainerStatsRequest { ContainerId = container }, Cancel)).Stats,
            seen => seen.Cpu?.UsageCoreNanoSeconds?.Value > 0 && seen.Memory?.WorkingSetBytes?.Value > 0 && seen.WritableLayer?.UsedBytes?.Value >= 4 << 20);
        Assert.Equal((container, "b"), (stats.Attributes.Id, stats.Attributes.Labels["a"]));
        var list = (await Node.Runtime.ListContainerStatsAsync(
            new ListContainerStatsRequest { Filter = new ContainerStatsFilter { PodSandboxId = pod.Id, LabelSelector = { ["a"] = "b" } } }, Cancel)).Stats;
        Assert.Equal(container, Assert.Single(list).Attributes.Id);
        Assert.All([stats.Cpu!.Timestamp, stats.Memory!.Timestamp], time => Assert.True(time > 0));
        var second = await pod.RunAsync("sleep 1000");
        var all = (await Node.Runtime.ListContainerStatsAsync(new ListContainerStatsRequest(), Cancel)).Stats.Select(each => each.Attributes.Id).ToList();
        Assert.All([container, second], id => Assert.Contains(id, all));
        await FailsAsync(StatusCode.NotFound, () => Node.Runtime.ContainerStatsAsync(new ContainerStatsRequest { ContainerId = "never-was" }, Cancel));
    }

    [Fact]
    public async Task Resources_are_limits_and_change_while_it_runs()
    {
        await using var pod = await Node.RunAsync();
        var container = await pod.RunAsync("sleep 1000", config => config.Linux.Resources = new LinuxContainerResources
        {
            CpuShares = 102, CpuPeriod = 100_000, CpuQuota = 50_000, MemoryLimitInBytes = 64 << 20, OomScoreAdj = 500,
        });
        Assert.Equal("500\n", await pod.ExecAsync(container, "cat /proc/1/oom_score_adj"));
        await Node.Runtime.UpdateContainerResourcesAsync(
            new UpdateContainerResourcesRequest { ContainerId = container, Linux = new LinuxContainerResources { CpuPeriod = 100_000, CpuQuota = 70_000, MemoryLimitInBytes = 96 << 20 } }, Cancel);
        Assert.Equal("70000", Cgroup(pod, container, "cpu", "cpu.cfs_quota_us", "cpu.max").Split(' ')[0]);
        Assert.Equal($"{96 << 20}", Cgroup(pod, container, "memory", "memory.limit_in_bytes", "memory.max"));
        await FailsAsync(
            StatusCode.NotFound, () => Node.Runtime.UpdateContainerResourcesAsync(new UpdateContainerResourcesRequest { ContainerId = "never-was", Linux = new LinuxContainerResources() }, Cancel));
    }

    private static string Cgroup(Pod pod, string container, string controller, string v1, string v2)
    {
        var path = $"{pod.Config.Linux.CgroupParent}/{container}";
        return File.ReadAllText(Directory.Exists("/sys/fs/cgroup/" + controller) ? $"/sys/fs/cgroup/{controller}{path}/{v1}" : $"/sys/fs/cgroup{path}/{v2}").Trim();
    }

    private static ContainerStateValue State(ContainerState state) => new() { State = state };

    private Task StopAsync(string container, long seconds) => Node.Runtime.StopContainerAsync(new StopContainerRequest { ContainerId = container, Timeout = seconds }, Cancel);

    private Task RemoveAsync(string container) => Node.Runtime.RemoveContainerAsync(new RemoveContainerRequest { ContainerId = container }, Cancel);

    private async Task<string[]> ListAsync(ContainerFilter filter) =>
        [.. (await Node.Runtime.ListContainersAsync(new ListContainersRequest { Filter = filter }, Cancel)).Containers.Select(item => item.Id)];
}
