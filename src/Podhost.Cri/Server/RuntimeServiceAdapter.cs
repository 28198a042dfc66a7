using Grpc.Core;
using Podhost.Cri.Services;
using Podhost.Cri.V1;

namespace Podhost.Cri.Server;

/// <summary>Forwards the RPCs of the runtime service to its implementation.</summary>
internal sealed class RuntimeServiceAdapter(IRuntimeService service) : RuntimeService.RuntimeServiceBase
{
    public override Task<VersionResponse> Version(VersionRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.VersionAsync(request, token), context);

    public override Task<RunPodSandboxResponse> RunPodSandbox(RunPodSandboxRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.RunPodSandboxAsync(request, token), context);

    public override Task<StopPodSandboxResponse> StopPodSandbox(StopPodSandboxRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.StopPodSandboxAsync(request, token), context);

    public override Task<RemovePodSandboxResponse> RemovePodSandbox(RemovePodSandboxRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.RemovePodSandboxAsync(request, token), context);

    public override Task<PodSandboxStatusResponse> PodSandboxStatus(PodSandboxStatusRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.PodSandboxStatusAsync(request, token), context);

    public override Task<ListPodSandboxResponse> ListPodSandbox(ListPodSandboxRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.ListPodSandboxAsync(request, token), context);

    public override Task StreamPodSandboxes(StreamPodSandboxesRequest request, IServerStreamWriter<StreamPodSandboxesResponse> responseStream, ServerCallContext context) =>
        ServerCalls.WriteAllAsync(service.StreamPodSandboxesAsync(request, context.CancellationToken), responseStream, context);

    public override Task<CreateContainerResponse> CreateContainer(CreateContainerRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.CreateContainerAsync(request, token), context);

    public override Task<StartContainerResponse> StartContainer(StartContainerRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.StartContainerAsync(request, token), context);

    public override Task<StopContainerResponse> StopContainer(StopContainerRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.StopContainerAsync(request, token), context);

    public override Task<RemoveContainerResponse> RemoveContainer(RemoveContainerRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.RemoveContainerAsync(request, token), context);

    public override Task<ListContainersResponse> ListContainers(ListContainersRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.ListContainersAsync(request, token), context);

    public override Task StreamContainers(StreamContainersRequest request, IServerStreamWriter<StreamContainersResponse> responseStream, ServerCallContext context) =>
        ServerCalls.WriteAllAsync(service.StreamContainersAsync(request, context.CancellationToken), responseStream, context);

    public override Task<ContainerStatusResponse> ContainerStatus(ContainerStatusRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.ContainerStatusAsync(request, token), context);

    public override Task<UpdateContainerResourcesResponse> UpdateContainerResources(UpdateContainerResourcesRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.UpdateContainerResourcesAsync(request, token), context);

    public override Task<ReopenContainerLogResponse> ReopenContainerLog(ReopenContainerLogRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.ReopenContainerLogAsync(request, token), context);

    public override Task<ExecSyncResponse> ExecSync(ExecSyncRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.ExecSyncAsync(request, token), context);

    public override Task<ExecResponse> Exec(ExecRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.ExecAsync(request, token), context);

    public override Task<AttachResponse> Attach(AttachRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.AttachAsync(request, token), context);

    public override Task<PortForwardResponse> PortForward(PortForwardRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.PortForwardAsync(request, token), context);

    public override Task<ContainerStatsResponse> ContainerStats(ContainerStatsRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.ContainerStatsAsync(request, token), context);

    public override Task<ListContainerStatsResponse> ListContainerStats(ListContainerStatsRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.ListContainerStatsAsync(request, token), context);

    public override Task StreamContainerStats(StreamContainerStatsRequest request, IServerStreamWriter<StreamContainerStatsResponse> responseStream, ServerCallContext context) =>
        ServerCalls.WriteAllAsync(service.StreamContainerStatsAsync(request, context.CancellationToken), responseStream, context);

    public override Task<PodSandboxStatsResponse> PodSandboxStats(PodSandboxStatsRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.PodSandboxStatsAsync(request, token), context);

    public override Task<ListPodSandboxStatsResponse> ListPodSandboxStats(ListPodSandboxStatsRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.ListPodSandboxStatsAsync(request, token), context);

    public override Task StreamPodSandboxStats(StreamPodSandboxStatsRequest request, IServerStreamWriter<StreamPodSandboxStatsResponse> responseStream, ServerCallContext context) =>
        ServerCalls.WriteAllAsync(service.StreamPodSandboxStatsAsync(request, context.CancellationToken), responseStream, context);

    public override Task<UpdateRuntimeConfigResponse> UpdateRuntimeConfig(UpdateRuntimeConfigRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.UpdateRuntimeConfigAsync(request, token), context);

    public override Task<StatusResponse> Status(StatusRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.StatusAsync(request, token), context);

    public override Task<CheckpointContainerResponse> CheckpointContainer(CheckpointContainerRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.CheckpointContainerAsync(request, token), context);

    public override Task GetContainerEvents(GetEventsRequest request, IServerStreamWriter<ContainerEventResponse> responseStream, ServerCallContext context) =>
        ServerCalls.WriteAllAsync(service.GetContainerEventsAsync(request, context.CancellationToken), responseStream, context);

    public override Task<ListMetricDescriptorsResponse> ListMetricDescriptors(ListMetricDescriptorsRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.ListMetricDescriptorsAsync(request, token), context);

    public override Task<ListPodSandboxMetricsResponse> ListPodSandboxMetrics(ListPodSandboxMetricsRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.ListPodSandboxMetricsAsync(request, token), context);

    public override Task StreamPodSandboxMetrics(StreamPodSandboxMetricsRequest request, IServerStreamWriter<StreamPodSandboxMetricsResponse> responseStream, ServerCallContext context) =>
        ServerCalls.WriteAllAsync(service.StreamPodSandboxMetricsAsync(request, context.CancellationToken), responseStream, context);

    public override Task<RuntimeConfigResponse> RuntimeConfig(RuntimeConfigRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.RuntimeConfigAsync(request, token), context);

    public override Task<UpdatePodSandboxResourcesResponse> UpdatePodSandboxResources(UpdatePodSandboxResourcesRequest request, ServerCallContext context) =>
        ServerCalls.CallAsync(token => service.UpdatePodSandboxResourcesAsync(request, token), context);
}
