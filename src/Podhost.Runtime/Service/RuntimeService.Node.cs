using System.Runtime.CompilerServices;
using Grpc.Core;
using Podhost.Cri.V1;
using Podhost.Runtime.Stats;
using CriStatus = Grpc.Core.Status;

namespace Podhost.Runtime.Service;

/// <summary>The calls about the runtime as a whole, and usage.</summary>
internal sealed partial class RuntimeService
{
    private const string Name = "podhost";
    private const string ApiVersion = "v1";
    private const string KubeletApiVersion = "0.1.0";

    public Task<VersionResponse> VersionAsync(VersionRequest request, CancellationToken cancellationToken) => Task.FromResult(new VersionResponse
    {
        Version = KubeletApiVersion,
        RuntimeName = Name,
        RuntimeVersion = context.Options.Version,
        RuntimeApiVersion = ApiVersion,
    });

    public async Task<StatusResponse> StatusAsync(StatusRequest request, CancellationToken cancellationToken)
    {
        var status = new RuntimeStatus();
        status.Conditions.Add(new RuntimeCondition { Type = "RuntimeReady", Status = true });
        var problem = await context.Network.AskProblemAsync(cancellationToken);
        status.Conditions.Add(new RuntimeCondition
        {
            Type = "NetworkReady",
            Status = problem is null,
            Reason = problem is null ? string.Empty : "NetworkPluginNotReady",
            Message = problem ?? string.Empty,
        });
        var response = new StatusResponse
        {
            Status = status,
            Features = new RuntimeFeatures { SupplementalGroupsPolicy = true },
        };
        foreach (var handler in context.Handlers.Names)
        {
            response.RuntimeHandlers.Add(new RuntimeHandler
            {
                Name = handler,
                Features = new RuntimeHandlerFeatures
                {
                    RecursiveReadOnlyMounts = true,
                    UserNamespaces = await context.UserNamespaces.ProblemAsync(context.Handlers.Get(handler), cancellationToken) is null,
                },
            });
        }

        if (request.Verbose)
        {
            response.Info["ociRuntime"] = context.Handlers.Standard.Program;
            response.Info["cgroup"] = context.Cgroups.Layout.Fingerprint;
        }

        return response;
    }

    public Task<RuntimeConfigResponse> RuntimeConfigAsync(RuntimeConfigRequest request, CancellationToken cancellationToken) =>
        Task.FromResult(new RuntimeConfigResponse { Linux = new LinuxRuntimeConfiguration { CgroupDriver = CgroupDriver.Cgroupfs } });

    /// <summary>A range in use does not move; the kubelet may tell the one that is configured.</summary>
    public Task<UpdateRuntimeConfigResponse> UpdateRuntimeConfigAsync(UpdateRuntimeConfigRequest request, CancellationToken cancellationToken)
    {
        var asked = request.RuntimeConfig?.NetworkConfig?.PodCidr ?? string.Empty;
        var known = context.Options.PodCidrs.Select(range => range.ToString()).ToList();
        if (asked.Length > 0 && !asked.Split(',').Any(known.Contains))
        {
            throw new RpcException(new CriStatus(StatusCode.FailedPrecondition, $"pod CIDR {asked}: the bridge network is configured with {string.Join(',', known)}"));
        }

        return Task.FromResult(new UpdateRuntimeConfigResponse());
    }

    public Task<CheckpointContainerResponse> CheckpointContainerAsync(CheckpointContainerRequest request, CancellationToken cancellationToken) =>
        throw new RpcException(new CriStatus(StatusCode.Unimplemented, "CheckpointContainer: not implemented by the embedded runtime"));

    /// <summary>The kubelet has changed the pod's cgroup itself; containers follow by UpdateContainerResources.</summary>
    public Task<UpdatePodSandboxResourcesResponse> UpdatePodSandboxResourcesAsync(UpdatePodSandboxResourcesRequest request, CancellationToken cancellationToken)
    {
        _ = context.State.GetSandbox(request.PodSandboxId);
        return Task.FromResult(new UpdatePodSandboxResourcesResponse());
    }

    public async Task<ContainerStatsResponse> ContainerStatsAsync(ContainerStatsRequest request, CancellationToken cancellationToken) =>
        await Guard(async () => new ContainerStatsResponse { Stats = await verbs.Stats.ReadAsync(context.State.GetContainer(request.ContainerId), cancellationToken) });

    public async Task<ListContainerStatsResponse> ListContainerStatsAsync(ListContainerStatsRequest request, CancellationToken cancellationToken) =>
        await Guard(async () =>
        {
            var response = new ListContainerStatsResponse();
            response.Stats.AddRange(await StatsAsync(request.Filter, cancellationToken));
            return response;
        });

    public async IAsyncEnumerable<StreamContainerStatsResponse> StreamContainerStatsAsync(
        StreamContainerStatsRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var batch in (await StatsAsync(request.Filter, cancellationToken)).Chunk(StreamBatch))
        {
            var response = new StreamContainerStatsResponse();
            response.ContainerStats.AddRange(batch);
            yield return response;
        }
    }

    public async Task<PodSandboxStatsResponse> PodSandboxStatsAsync(PodSandboxStatsRequest request, CancellationToken cancellationToken) =>
        await Guard(async () => new PodSandboxStatsResponse { Stats = await verbs.Stats.ReadAsync(context.State.GetSandbox(request.PodSandboxId), cancellationToken) });

    public async Task<ListPodSandboxStatsResponse> ListPodSandboxStatsAsync(ListPodSandboxStatsRequest request, CancellationToken cancellationToken) =>
        await Guard(async () =>
        {
            var response = new ListPodSandboxStatsResponse();
            response.Stats.AddRange(await StatsAsync(request.Filter, cancellationToken));
            return response;
        });

    public async IAsyncEnumerable<StreamPodSandboxStatsResponse> StreamPodSandboxStatsAsync(
        StreamPodSandboxStatsRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var batch in (await StatsAsync(request.Filter, cancellationToken)).Chunk(StreamBatch))
        {
            var response = new StreamPodSandboxStatsResponse();
            response.PodSandboxStats.AddRange(batch);
            yield return response;
        }
    }

    public Task<ListMetricDescriptorsResponse> ListMetricDescriptorsAsync(ListMetricDescriptorsRequest request, CancellationToken cancellationToken)
    {
        var response = new ListMetricDescriptorsResponse();
        response.Descriptors.AddRange(MetricsReader.Descriptors);
        return Task.FromResult(response);
    }

    public async Task<ListPodSandboxMetricsResponse> ListPodSandboxMetricsAsync(ListPodSandboxMetricsRequest request, CancellationToken cancellationToken) =>
        await Guard(async () =>
        {
            var response = new ListPodSandboxMetricsResponse();
            response.PodMetrics.AddRange(await verbs.Metrics.ReadAsync(cancellationToken));
            return response;
        });

    public async IAsyncEnumerable<StreamPodSandboxMetricsResponse> StreamPodSandboxMetricsAsync(
        StreamPodSandboxMetricsRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var batch in (await verbs.Metrics.ReadAsync(cancellationToken)).Chunk(StreamBatch))
        {
            var response = new StreamPodSandboxMetricsResponse();
            response.PodSandboxMetrics.AddRange(batch);
            yield return response;
        }
    }

    private async Task<List<ContainerStats>> StatsAsync(ContainerStatsFilter? filter, CancellationToken cancellationToken)
    {
        var all = new List<ContainerStats>();
        foreach (var container in context.State.Containers.Where(container => container.State == ContainerState.ContainerRunning
            && (filter is null || (container.Id.StartsWith(filter.Id, StringComparison.Ordinal)
                && container.Record.SandboxId.StartsWith(filter.PodSandboxId, StringComparison.Ordinal)
                && StatusMapper.Matches(container.Record.Config.Labels, filter.LabelSelector)))))
        {
            all.Add(await verbs.Stats.ReadAsync(container, cancellationToken));
        }

        return all;
    }

    private async Task<List<PodSandboxStats>> StatsAsync(PodSandboxStatsFilter? filter, CancellationToken cancellationToken)
    {
        var all = new List<PodSandboxStats>();
        foreach (var sandbox in context.State.Sandboxes.Where(sandbox => sandbox.State == PodSandboxState.SandboxReady
            && (filter is null || (sandbox.Id.StartsWith(filter.Id, StringComparison.Ordinal)
                && StatusMapper.Matches(sandbox.Record.Config.Labels, filter.LabelSelector)))))
        {
            all.Add(await verbs.Stats.ReadAsync(sandbox, cancellationToken));
        }

        return all;
    }
}
