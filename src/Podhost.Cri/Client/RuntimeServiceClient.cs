using Grpc.Core;
using Podhost.Cri.Services;
using Podhost.Cri.V1;

namespace Podhost.Cri.Client;

/// <summary>The runtime half of CRI over a channel.</summary>
internal sealed class RuntimeServiceClient(RuntimeService.RuntimeServiceClient client, CriDeadlines deadlines) : IRuntimeService
{
    public Task<VersionResponse> VersionAsync(VersionRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.VersionAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    public Task<RunPodSandboxResponse> RunPodSandboxAsync(RunPodSandboxRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.RunPodSandboxAsync(request, deadline: deadlines.Slow, cancellationToken: cancellationToken), cancellationToken);

    public Task<StopPodSandboxResponse> StopPodSandboxAsync(StopPodSandboxRequest request, CancellationToken cancellationToken) =>
        StopAsync(client.StopPodSandboxAsync(request, deadline: deadlines.Slow, cancellationToken: cancellationToken), cancellationToken);

    public Task<RemovePodSandboxResponse> RemovePodSandboxAsync(RemovePodSandboxRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.RemovePodSandboxAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    public Task<PodSandboxStatusResponse> PodSandboxStatusAsync(PodSandboxStatusRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.PodSandboxStatusAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    public Task<ListPodSandboxResponse> ListPodSandboxAsync(ListPodSandboxRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.ListPodSandboxAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    public IAsyncEnumerable<StreamPodSandboxesResponse> StreamPodSandboxesAsync(StreamPodSandboxesRequest request, CancellationToken cancellationToken) =>
        CriCalls.ReadAllAsync(token => client.StreamPodSandboxes(request, cancellationToken: token), cancellationToken);

    public Task<CreateContainerResponse> CreateContainerAsync(CreateContainerRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.CreateContainerAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    public Task<StartContainerResponse> StartContainerAsync(StartContainerRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.StartContainerAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    public Task<StopContainerResponse> StopContainerAsync(StopContainerRequest request, CancellationToken cancellationToken) =>
        StopAsync(client.StopContainerAsync(request, deadline: deadlines.Stop(request), cancellationToken: cancellationToken), cancellationToken);

    public Task<RemoveContainerResponse> RemoveContainerAsync(RemoveContainerRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.RemoveContainerAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    public Task<ListContainersResponse> ListContainersAsync(ListContainersRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.ListContainersAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    public IAsyncEnumerable<StreamContainersResponse> StreamContainersAsync(StreamContainersRequest request, CancellationToken cancellationToken) =>
        CriCalls.ReadAllAsync(token => client.StreamContainers(request, cancellationToken: token), cancellationToken);

    public Task<ContainerStatusResponse> ContainerStatusAsync(ContainerStatusRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.ContainerStatusAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    public Task<UpdateContainerResourcesResponse> UpdateContainerResourcesAsync(UpdateContainerResourcesRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.UpdateContainerResourcesAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    public Task<ReopenContainerLogResponse> ReopenContainerLogAsync(ReopenContainerLogRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.ReopenContainerLogAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    public Task<ExecSyncResponse> ExecSyncAsync(ExecSyncRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.ExecSyncAsync(request, deadline: deadlines.Exec(request), cancellationToken: cancellationToken), cancellationToken);

    public Task<ExecResponse> ExecAsync(ExecRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.ExecAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    public Task<AttachResponse> AttachAsync(AttachRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.AttachAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    public Task<PortForwardResponse> PortForwardAsync(PortForwardRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.PortForwardAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    public Task<ContainerStatsResponse> ContainerStatsAsync(ContainerStatsRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.ContainerStatsAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    public Task<ListContainerStatsResponse> ListContainerStatsAsync(ListContainerStatsRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.ListContainerStatsAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    public IAsyncEnumerable<StreamContainerStatsResponse> StreamContainerStatsAsync(StreamContainerStatsRequest request, CancellationToken cancellationToken) =>
        CriCalls.ReadAllAsync(token => client.StreamContainerStats(request, cancellationToken: token), cancellationToken);

    public Task<PodSandboxStatsResponse> PodSandboxStatsAsync(PodSandboxStatsRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.PodSandboxStatsAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    public Task<ListPodSandboxStatsResponse> ListPodSandboxStatsAsync(ListPodSandboxStatsRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.ListPodSandboxStatsAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    public IAsyncEnumerable<StreamPodSandboxStatsResponse> StreamPodSandboxStatsAsync(StreamPodSandboxStatsRequest request, CancellationToken cancellationToken) =>
        CriCalls.ReadAllAsync(token => client.StreamPodSandboxStats(request, cancellationToken: token), cancellationToken);

    public Task<UpdateRuntimeConfigResponse> UpdateRuntimeConfigAsync(UpdateRuntimeConfigRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.UpdateRuntimeConfigAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    public Task<StatusResponse> StatusAsync(StatusRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.StatusAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    public Task<CheckpointContainerResponse> CheckpointContainerAsync(CheckpointContainerRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.CheckpointContainerAsync(request, deadline: deadlines.Slow, cancellationToken: cancellationToken), cancellationToken);

    public IAsyncEnumerable<ContainerEventResponse> GetContainerEventsAsync(GetEventsRequest request, CancellationToken cancellationToken) =>
        CriCalls.ReadAllAsync(token => client.GetContainerEvents(request, cancellationToken: token), cancellationToken);

    public Task<ListMetricDescriptorsResponse> ListMetricDescriptorsAsync(ListMetricDescriptorsRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.ListMetricDescriptorsAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    public Task<ListPodSandboxMetricsResponse> ListPodSandboxMetricsAsync(ListPodSandboxMetricsRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.ListPodSandboxMetricsAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    public IAsyncEnumerable<StreamPodSandboxMetricsResponse> StreamPodSandboxMetricsAsync(StreamPodSandboxMetricsRequest request, CancellationToken cancellationToken) =>
        CriCalls.ReadAllAsync(token => client.StreamPodSandboxMetrics(request, cancellationToken: token), cancellationToken);

    public Task<RuntimeConfigResponse> RuntimeConfigAsync(RuntimeConfigRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.RuntimeConfigAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    public Task<UpdatePodSandboxResourcesResponse> UpdatePodSandboxResourcesAsync(UpdatePodSandboxResourcesRequest request, CancellationToken cancellationToken) =>
        CriCalls.CallAsync(client.UpdatePodSandboxResourcesAsync(request, deadline: deadlines.Default, cancellationToken: cancellationToken), cancellationToken);

    // A stop is idempotent by CRI; containerd before 1.7 still answers NotFound for what is gone.
    private static async Task<TResponse> StopAsync<TResponse>(AsyncUnaryCall<TResponse> call, CancellationToken cancellationToken)
        where TResponse : new()
    {
        try
        {
            return await CriCalls.CallAsync(call, cancellationToken);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
        {
            return new TResponse();
        }
    }
}
