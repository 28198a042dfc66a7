using Grpc.Core;
using Podhost.Cri.Suite.Tests.Nodes;
using Podhost.Cri.V1;

namespace Podhost.Cri.Suite.Tests.Suite;

public sealed class EmbeddedSandboxTests(EmbeddedNode node) : SandboxTests(node);

public sealed class ContainerdSandboxTests(ContainerdNode node) : SandboxTests(node);

/// <summary>Run, stop, remove, status and list of sandboxes.</summary>
public abstract class SandboxTests(CriNode node) : CriSuite(node)
{
    [Fact]
    public async Task A_sandbox_is_ready_with_what_it_was_given()
    {
        await using var pod = await Node.RunAsync(config => config.Metadata.Attempt = 3);
        var status = await pod.StatusAsync();
        Assert.Equal((pod.Id, PodSandboxState.SandboxReady), (status.Id, status.State));
        Assert.Equal(pod.Config.Metadata, status.Metadata);
        Assert.Equal(pod.Config.Labels, status.Labels);
        Assert.Equal(pod.Config.Annotations, status.Annotations);
        Assert.True(System.Net.IPAddress.TryParse(status.Network.Ip, out _));
        Assert.True(status.CreatedAt > 0);
        Assert.Equal(NamespaceMode.Container, status.Linux.Namespaces.Options.Pid);
        var verbose = await Node.Runtime.PodSandboxStatusAsync(new PodSandboxStatusRequest { PodSandboxId = pod.Id, Verbose = true }, Cancel);
        Assert.NotEmpty(verbose.Info);
    }

    [Fact]
    public async Task Stop_and_remove_are_idempotent_also_for_what_never_was()
    {
        await using var pod = await Node.RunAsync();
        await pod.StopAsync();
        Assert.Equal(PodSandboxState.SandboxNotready, (await pod.StatusAsync()).State);
        await pod.StopAsync();
        await pod.RemoveAsync();
        await pod.RemoveAsync();
        await pod.StopAsync();
        await FailsAsync(StatusCode.NotFound, () => pod.StatusAsync());
    }

    [Fact]
    public async Task Stop_ends_the_containers_and_remove_removes_them()
    {
        await using var pod = await Node.RunAsync();
        var container = await pod.RunAsync("sleep 1000");
        await pod.StopAsync();
        Assert.Equal((ContainerState.ContainerExited, 137), ((await pod.StatusAsync(container)).State, (await pod.StatusAsync(container)).ExitCode));
        await FailsAsync(
            Differs(StatusCode.FailedPrecondition, StatusCode.NotFound, "containerd misses the infra container's task"), () => pod.CreateAsync("true"));
        await pod.RemoveAsync();
        await FailsAsync(StatusCode.NotFound, () => pod.StatusAsync(container));
    }

    [Fact]
    public async Task One_attempt_of_a_pod_is_one_sandbox()
    {
        await using var pod = await Node.RunAsync();
        await FailsAsync(
            Differs(StatusCode.AlreadyExists, StatusCode.Unknown, "containerd gives its plain errors no code"),
            () => Node.Runtime.RunPodSandboxAsync(new RunPodSandboxRequest { Config = pod.Config }, Cancel));
        await pod.StopAsync();
        var next = pod.Config.Clone();
        next.Metadata.Attempt++;
        await using var second = new Pod(Node, (await Node.Runtime.RunPodSandboxAsync(new RunPodSandboxRequest { Config = next }, Cancel)).PodSandboxId, next);
        Assert.Equal(1U, (await second.StatusAsync()).Metadata.Attempt);
    }

    [Fact]
    public async Task A_configuration_without_a_name_and_an_unknown_handler_are_refused()
    {
        await Assert.ThrowsAsync<RpcException>(() => Node.RunAsync(config => config.Metadata = null));
        await Assert.ThrowsAsync<RpcException>(() => Node.Runtime.RunPodSandboxAsync(new RunPodSandboxRequest { Config = Node.Sandbox(), RuntimeHandler = "no-such" }, Cancel));
    }

    [Fact]
    public async Task Lists_are_filtered_by_id_state_and_labels_all_at_once()
    {
        await using var first = await Node.RunAsync(config => config.Labels["group"] = "filtered");
        await using var second = await Node.RunAsync(config => config.Labels["group"] = "filtered");
        await second.StopAsync();
        var group = new PodSandboxFilter { LabelSelector = { ["group"] = "filtered" } };
        Assert.Equal(new[] { first.Id, second.Id }.Order(), (await ListAsync(group)).Order());
        Assert.Equal([first.Id], await ListAsync(new PodSandboxFilter(group) { State = new PodSandboxStateValue { State = PodSandboxState.SandboxReady } }));
        Assert.Equal([second.Id], await ListAsync(new PodSandboxFilter { Id = second.Id }));
        Assert.Equal([first.Id], await ListAsync(new PodSandboxFilter { Id = first.Id[..13] }));
        Assert.Empty(await ListAsync(new PodSandboxFilter(group) { Id = first.Id, State = new PodSandboxStateValue { State = PodSandboxState.SandboxNotready } }));
        Assert.Empty(await ListAsync(new PodSandboxFilter { LabelSelector = { ["group"] = "filtered", ["app"] = "absent" } }));
    }

    [Fact]
    public async Task A_list_can_be_streamed()
    {
        await using var pod = await Node.RunAsync();
        var stream = Node.Runtime.StreamPodSandboxesAsync(new StreamPodSandboxesRequest { Filter = new PodSandboxFilter { Id = pod.Id } }, Cancel);
        if (Differs(false, true, "streamed lists came with CRI of 1.36"))
        {
            await FailsAsync(StatusCode.Unimplemented, async () => await stream.GetAsyncEnumerator(Cancel).MoveNextAsync());
            return;
        }

        var seen = new List<string>();
        await foreach (var part in stream)
        {
            seen.AddRange(part.PodSandboxes.Select(sandbox => sandbox.Id));
        }

        Assert.Equal([pod.Id], seen);
    }

    [Fact]
    public async Task Usage_of_a_sandbox_counts_its_containers()
    {
        await using var pod = await Node.RunAsync();
        var container = await pod.RunAsync("sleep 1000");
        var stats = (await Node.Runtime.PodSandboxStatsAsync(new PodSandboxStatsRequest { PodSandboxId = pod.Id }, Cancel)).Stats;
        Assert.Equal(pod.Config.Metadata, stats.Attributes.Metadata);
        Assert.True(stats.Linux.Memory.WorkingSetBytes.Value > 0);
        Assert.Equal(container, Assert.Single(stats.Linux.Containers).Attributes.Id);
        var list = (await Node.Runtime.ListPodSandboxStatsAsync(new ListPodSandboxStatsRequest { Filter = new PodSandboxStatsFilter { Id = pod.Id } }, Cancel)).Stats;
        Assert.Equal(pod.Id, Assert.Single(list).Attributes.Id);
    }

    private async Task<string[]> ListAsync(PodSandboxFilter filter) =>
        [.. (await Node.Runtime.ListPodSandboxAsync(new ListPodSandboxRequest { Filter = filter }, Cancel)).Items.Select(item => item.Id)];
}
