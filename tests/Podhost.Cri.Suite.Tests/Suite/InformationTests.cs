using Grpc.Core;
using Podhost.Cri.Suite.Tests.Nodes;
using Podhost.Cri.V1;

namespace Podhost.Cri.Suite.Tests.Suite;

public sealed class EmbeddedInformationTests(EmbeddedNode node) : InformationTests(node);

public sealed class ContainerdInformationTests(ContainerdNode node) : InformationTests(node);

/// <summary>What a runtime says of itself.</summary>
public abstract class InformationTests(CriNode node) : CriSuite(node)
{
    [Fact]
    public async Task Version_names_runtime_and_API()
    {
        var version = await Node.Runtime.VersionAsync(new VersionRequest(), Cancel);
        Assert.Equal((Differs("podhost", "containerd", "names"), "v1", "0.1.0"), (version.RuntimeName, version.RuntimeApiVersion, version.Version));
        Assert.NotEmpty(version.RuntimeVersion);
    }

    [Fact]
    public async Task Status_has_both_conditions_and_info_only_when_asked()
    {
        var status = await Node.Runtime.StatusAsync(new StatusRequest(), Cancel);
        Assert.All(["RuntimeReady", "NetworkReady"], type => Assert.True(Assert.Single(status.Status.Conditions, c => c.Type == type).Status));
        Assert.Empty(status.Info);
        Assert.NotEmpty((await Node.Runtime.StatusAsync(new StatusRequest { Verbose = true }, Cancel)).Info);
    }

    [Fact]
    public async Task Handlers_and_features_are_told_since_CRI_of_1_30()
    {
        var status = await Node.Runtime.StatusAsync(new StatusRequest(), Cancel);
        Assert.Equal(Differs(true, false, "containerd 1.6 is older than runtime_handlers"), status.RuntimeHandlers.Any(h => h.Name.Length == 0));
        Assert.Equal(Differs(true, false, "containerd 1.6 is older than features"), status.Features?.SupplementalGroupsPolicy ?? false);
        Assert.Equal(Differs(true, false, "containerd 1.6 is older than user namespaces"), status.RuntimeHandlers.Any(h => h.Features.UserNamespaces));
    }

    [Fact]
    public async Task RuntimeConfig_names_the_cgroup_driver()
    {
        if (Differs(false, true, "RuntimeConfig came with CRI of 1.28, containerd 2.0"))
        {
            await FailsAsync(StatusCode.Unimplemented, () => Node.Runtime.RuntimeConfigAsync(new RuntimeConfigRequest(), Cancel));
            return;
        }

        Assert.Equal(CgroupDriver.Cgroupfs, (await Node.Runtime.RuntimeConfigAsync(new RuntimeConfigRequest(), Cancel)).Linux.CgroupDriver);
    }

    [Fact]
    public async Task UpdateRuntimeConfig_without_a_range_is_taken() =>
        await Node.Runtime.UpdateRuntimeConfigAsync(new UpdateRuntimeConfigRequest { RuntimeConfig = new RuntimeConfig { NetworkConfig = new NetworkConfig() } }, Cancel);

    [Fact]
    public async Task CheckpointContainer_is_refused()
    {
        await using var pod = await Node.RunAsync();
        var container = await pod.RunAsync("sleep 1000");
        var failure = await FailsAsync(
            StatusCode.Unimplemented,
            () => Node.Runtime.CheckpointContainerAsync(new CheckpointContainerRequest { ContainerId = container, Location = Path.Combine(Node.Root, "checkpoint") }, Cancel));
        Assert.Contains("CheckpointContainer", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Events_tell_of_a_container_in_order()
    {
        if (Differs(false, true, "GetContainerEvents came with CRI of 1.26, containerd 1.7"))
        {
            await using var none = Node.Runtime.GetContainerEventsAsync(new GetEventsRequest(), Cancel).GetAsyncEnumerator(Cancel);
            await FailsAsync(StatusCode.Unimplemented, async () => await none.MoveNextAsync());
            return;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        await using var events = Node.Runtime.GetContainerEventsAsync(new GetEventsRequest(), limit.Token).GetAsyncEnumerator(limit.Token);
        var next = events.MoveNextAsync();
        await using var pod = await Node.RunAsync();
        var container = await pod.RunAsync("exit 0");
        await pod.ExitedAsync(container);
        await Node.Runtime.RemoveContainerAsync(new RemoveContainerRequest { ContainerId = container }, Cancel);
        var seen = new List<ContainerEventType>();
        do
        {
            Assert.True(await next);
            if (events.Current.ContainerId == container)
            {
                seen.Add(events.Current.ContainerEventType);
                Assert.Equal(pod.Config.Metadata, events.Current.PodSandboxStatus.Metadata);
            }

            next = events.MoveNextAsync();
        }
        while (seen.LastOrDefault() != ContainerEventType.ContainerDeletedEvent);
        await limit.CancelAsync();
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            // Events of other pods may lie ready.
            while (await next)
            {
                next = events.MoveNextAsync();
            }
        });
        Assert.Equal(
            [ContainerEventType.ContainerCreatedEvent, ContainerEventType.ContainerStartedEvent, ContainerEventType.ContainerStoppedEvent, ContainerEventType.ContainerDeletedEvent], seen);
    }

    [Fact]
    public async Task Metrics_have_a_value_for_each_label_of_their_descriptor()
    {
        if (Differs(false, true, "the metrics calls came with CRI of 1.26, containerd 2.0"))
        {
            await FailsAsync(StatusCode.Unimplemented, () => Node.Runtime.ListMetricDescriptorsAsync(new ListMetricDescriptorsRequest(), Cancel));
            return;
        }

        await using var pod = await Node.RunAsync();
        var container = await pod.RunAsync("sleep 1000", config => config.Linux.Resources.MemoryLimitInBytes = 64 << 20);
        var descriptors = (await Node.Runtime.ListMetricDescriptorsAsync(new ListMetricDescriptorsRequest(), Cancel)).Descriptors.ToDictionary(d => d.Name);
        var metrics = Assert.Single((await Node.Runtime.ListPodSandboxMetricsAsync(new ListPodSandboxMetricsRequest(), Cancel)).PodMetrics, m => m.PodSandboxId == pod.Id);
        var own = Assert.Single(metrics.ContainerMetrics, m => m.ContainerId == container).Metrics;
        Assert.All(own.Concat(metrics.Metrics), metric => Assert.Equal(descriptors[metric.Name].LabelKeys.Count, metric.LabelValues.Count));
        Assert.Equal(64UL << 20, Assert.Single(own, m => m.Name == "container_spec_memory_limit_bytes").Value.Value);
        Assert.True(Assert.Single(own, m => m.Name == "container_memory_working_set_bytes").Value.Value > 0);
        Assert.Contains(metrics.Metrics, m => m.Name == "container_network_receive_bytes_total" && m.LabelValues.Contains("eth0"));
        Assert.Equal(
            descriptors.Keys.Except(["container_spec_cpu_quota", "container_spec_cpu_period"]).Order(), own.Concat(metrics.Metrics).Select(m => m.Name).Distinct().Order());
        var streamed = new List<string>();
        await foreach (var part in Node.Runtime.StreamPodSandboxMetricsAsync(new StreamPodSandboxMetricsRequest(), Cancel))
        {
            streamed.AddRange(part.PodSandboxMetrics.Select(m => m.PodSandboxId));
        }

        Assert.Contains(pod.Id, streamed);
    }
}
